import type { Delivery } from "./delivery.ts";

/** The most requests in progress at once. */
const MAX_SENDING = 64;

/** The deliveries that are due. Up to 64 are sent at once; the others wait in order. */
export class SendQueue {
  readonly #send: (delivery: Delivery) => Promise<void>;
  readonly #due: Delivery[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #sending = 0;
  #closed = false;
  #whenIdle: (() => void)[] = [];

  constructor(send: (delivery: Delivery) => Promise<void>) {
    this.#send = send;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  add(delivery: Delivery): void {
    this.#due.push(delivery);
    this.#sendNext();
  }

  /** @param waitMs in real time, not by the sandbox's clock */
  addAfter(waitMs: number, delivery: Delivery): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.add(delivery);
    }, Math.ceil(waitMs));
    this.#timers.add(timer);
  }

  /** Resolves when nothing is being sent and nothing that is due waits, or when the queue is closed. */
  idle(): Promise<void> {
    if (this.#closed || this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Sends nothing more. What is being sent goes on. */
  close(): void {
    this.#closed = true;
    this.#due.length = 0;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#resolveIfIdle();
  }

  #sendNext(): void {
    while (!this.#closed && this.#sending < MAX_SENDING) {
      const delivery = this.#due.shift();
      if (delivery === undefined) return;
      void this.#sendOne(delivery);
    }
  }

  async #sendOne(delivery: Delivery): Promise<void> {
    this.#sending += 1;
    try {
      await this.#send(delivery);
    } finally {
      this.#sending -= 1;
      this.#sendNext();
      this.#resolveIfIdle();
    }
  }

  #isIdle(): boolean {
    return this.#sending === 0 && this.#due.length === 0 && this.#timers.size === 0;
  }

  #resolveIfIdle(): void {
    if (!this.#isIdle() && !this.#closed) return;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }
}
