import { withTimeout } from "../../async.ts";
import type { InboxCounts, TelemetryInbox } from "../telemetry.ts";

/** How old an answer may be before the inbox is asked again. */
const MAX_AGE_MS = 15_000;
/** How long a collection of metrics waits for an inbox: a scrape takes 10 s at most. */
const WAIT_MS = 5_000;

/** Asks an inbox for its stats, at most every 15 s and never while it still owes an answer. */
export class StatsReader {
  readonly #inbox: TelemetryInbox;
  readonly #now: () => number;
  readonly #waitMs: number;
  #answer: Promise<InboxCounts | undefined> = Promise.resolve(undefined);
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking = false;

  constructor(inbox: TelemetryInbox, now: () => number = () => performance.now(), waitMs: number = WAIT_MS) {
    this.#inbox = inbox;
    this.#now = now;
    this.#waitMs = waitMs;
  }

  /** The stats, or undefined if the inbox failed or does not answer. Never rejects. */
  async read(): Promise<InboxCounts | undefined> {
    if (!this.#asking && this.#now() - this.#askedAt >= MAX_AGE_MS) this.#answer = this.#ask();
    return withTimeout(this.#answer, this.#waitMs).catch(() => undefined);
  }

  async #ask(): Promise<InboxCounts | undefined> {
    this.#asking = true;
    this.#askedAt = this.#now();
    try {
      return await this.#inbox.stats();
    } catch {
      return undefined;
    } finally {
      this.#asking = false;
    }
  }
}
