import { setTimeout as pause } from "node:timers/promises";
import type { Inbox } from "../../src/inbox/inbox.ts";
import type { ReceiverConfig } from "./fleet.ts";
import { openInbox } from "./receiver-inboxes.mjs";

/** What a storm left in an inbox. */
export interface InboxLeft {
  /** How many events were parked, and redriven. */
  readonly redriven: number;
  /** How many events were neither processed nor discarded in the end. */
  readonly left: number;
}

/** The longest wait for an inbox to be empty, in milliseconds. */
const DRAIN_MS = 45_000;
const POLL_MS = 100;

/** The inbox of a storm as an operator sees it. */
export class Drain {
  readonly #inbox: Inbox;
  readonly #close: () => Promise<void>;
  readonly #signal: AbortSignal;
  #redriven = 0;

  private constructor(opened: { inbox: Inbox; close: () => Promise<void> }, signal: AbortSignal) {
    this.#inbox = opened.inbox;
    this.#close = opened.close;
    this.#signal = signal;
  }

  /** Opens the inbox, without a worker and without the flaw. */
  static async open(config: ReceiverConfig, signal: AbortSignal): Promise<Drain> {
    return new Drain(await openInbox({ ...config, flaw: undefined }), signal);
  }

  /** Waits until nothing waits or runs, redrives what is parked, and waits again. */
  async empty(): Promise<void> {
    await this.#untilIdle();
    const redriven = await this.#inbox.redrive({ all: true });
    this.#redriven += redriven;
    if (redriven > 0) await this.#untilIdle();
  }

  /** What is left, once nothing is sent any more. */
  async left(): Promise<InboxLeft> {
    await this.#untilIdle();
    const { waiting, delayed, active, parked } = await this.#inbox.stats();
    return { redriven: this.#redriven, left: waiting + delayed + active + parked };
  }

  close(): Promise<void> {
    return this.#close();
  }

  async #untilIdle(): Promise<void> {
    for (const until = Date.now() + DRAIN_MS; Date.now() < until && !this.#signal.aborted; await pause(POLL_MS)) {
      const stats = await this.#inbox.stats().catch(() => undefined);
      if (stats && stats.waiting + stats.delayed + stats.active === 0) return;
    }
  }
}
