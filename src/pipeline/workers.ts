import { WebhookError } from "../errors.ts";
import type { Inbox, InboxWorker, ParkedNotice, ProcessMessage } from "../inbox/inbox.ts";
import { quoted } from "./log.ts";
import type { Settings } from "./options.ts";
import { type HandlingSettings, processMessage, type Run } from "./process.ts";
import { recorderFor } from "./report.ts";

/** How long closing waits unless it is told, in milliseconds. */
export const CLOSE_MS = 30_000;
/** The longest that a timer can wait, in milliseconds: some 25 days. A longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The workers of one receiver, and the runs of its stored events. */
export class Workers {
  readonly #settings: Settings;
  readonly #handling: HandlingSettings;
  readonly #running = new Set<InboxWorker>();
  /** How many stored events are being processed. */
  #processing = 0;

  constructor(settings: Settings, handling: HandlingSettings) {
    this.#settings = settings;
    this.#handling = handling;
  }

  /** Whether a stored event is being processed. */
  get busy(): boolean {
    return this.#processing > 0;
  }

  /** Starts a worker on the inbox. */
  start(
    inbox: Inbox,
    { concurrency, pollMs }: { readonly concurrency?: number; readonly pollMs?: number },
  ): InboxWorker {
    const { maxProcessingMs, leaseMs } = this.#settings;
    // Each run has a signal of its own: Node warns of more than ten listeners on one.
    const runs = new Set<AbortController>();
    const run: ProcessMessage = async (message, attempt) => {
      const controller = new AbortController();
      runs.add(controller);
      try {
        await this.process(message, { attempt, detached: true, signal: controller.signal });
      } finally {
        runs.delete(controller);
      }
    };
    const started = inbox.work(run, {
      ...(concurrency !== undefined && { concurrency }),
      ...(pollMs !== undefined && { pollMs }),
      maxProcessingMs: maxProcessingMs + 3 * leaseMs,
      onParked: (parked) => this.#tellOfParked(parked),
      onError: (error) =>
        this.#handling.claims.log.error("inbox_worker", "the inbox's worker reported an error and goes on", error),
    });
    const worker: InboxWorker = {
      close: async ({ timeoutMs = CLOSE_MS } = {}) => {
        this.#running.delete(worker);
        await started.close({ timeoutMs: timerMs(timeoutMs) });
        // What still runs was given back: another worker runs it.
        const reason = new WebhookError("receiver_closed", "the worker was closed before the event was processed");
        for (const controller of runs) controller.abort(reason);
      },
    };
    this.#running.add(worker);
    return worker;
  }

  /** Runs the handlers of one stored event. */
  async process(message: unknown, run: Run): Promise<void> {
    const report = recorderFor(this.#settings.observe, this.#handling.telemetry);
    this.#processing += 1;
    try {
      await processMessage(message, run, this.#handling, report);
    } finally {
      this.#processing -= 1;
    }
  }

  /** Closes every worker. */
  async close(timeoutMs: number): Promise<void> {
    await Promise.all([...this.#running].map((worker) => worker.close({ timeoutMs })));
  }

  #tellOfParked({ key, type, attempts, error }: ParkedNotice): void {
    const { claims, telemetry } = this.#handling;
    const event = quoted(key, 200);
    claims.log.failure(
      `parked: type ${quoted(type)}`,
      () => `parked: event ${event} of type ${quoted(type)} failed and waits to be redriven (attempts: ${attempts})`,
      error,
    );
    recorderFor(this.#settings.observe, telemetry).send({ outcome: "parked", type, error });
  }
}

/** A time to wait as timers and inboxes take it: whole, and not too long. */
export function timerMs(timeoutMs: unknown): number {
  if (typeof timeoutMs !== "number" || Number.isNaN(timeoutMs))
    throw new WebhookError("configuration_invalid", "timeoutMs must be a number of milliseconds");
  return Math.ceil(Math.min(Math.max(0, timeoutMs), LONGEST_TIMER_MS));
}
