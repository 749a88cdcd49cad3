import { type Attempt, type Delivery, isFinished, isReplayable } from "./delivery.ts";

/** How many deliveries are kept, and how many bytes of bodies, headers and answers with them. */
export interface BookLimits {
  readonly maxDeliveries: number;
  readonly maxBytes: number;
}

/**
 * The deliveries that the sandbox remembers, oldest first. If there are too many, the oldest are forgotten, finished ones first.
 */
export class Book {
  readonly #limits: BookLimits;
  readonly #deliveries = new Map<string, Delivery>();
  /** In the order in which they finished. */
  readonly #finished = new Set<Delivery>();
  /** By endpoint. */
  readonly #replayable = new Map<string, Set<Delivery>>();
  readonly #sizes = new Map<Delivery, number>();
  #bytes = 0;

  constructor(limits: BookLimits) {
    this.#limits = limits;
  }

  get(id: string): Delivery | undefined {
    return this.#deliveries.get(id);
  }

  has(delivery: Delivery): boolean {
    return this.#deliveries.get(delivery.id) === delivery;
  }

  all(): IterableIterator<Delivery> {
    return this.#deliveries.values();
  }

  /** How many are neither delivered nor parked. */
  get open(): number {
    return this.#deliveries.size - this.#finished.size;
  }

  /** How many deliveries to an endpoint were parked and not replayed since. */
  replayableOf(endpointId: string): number {
    return this.#replayable.get(endpointId)?.size ?? 0;
  }

  /** Adds a delivery, or updates the figures of one that has changed. */
  put(delivery: Delivery): void {
    this.#deliveries.set(delivery.id, delivery);
    this.#measure(delivery);
    if (isFinished(delivery)) this.#finished.add(delivery);
    else this.#finished.delete(delivery);
    if (isReplayable(delivery)) this.#addReplayable(delivery);
    else this.#replayable.get(delivery.endpointId)?.delete(delivery);
  }

  /** Forgets deliveries until the limits are kept, and returns their ids. The newest one always stays. */
  trim(): string[] {
    const dropped: string[] = [];
    while (this.#deliveries.size > 1 && this.#isOverLimit()) {
      const oldest = first(this.#finished) ?? first(this.#deliveries.values());
      if (oldest === undefined) break;
      this.#forget(oldest);
      dropped.push(oldest.id);
    }
    return dropped;
  }

  #addReplayable(delivery: Delivery): void {
    const known = this.#replayable.get(delivery.endpointId) ?? new Set();
    this.#replayable.set(delivery.endpointId, known.add(delivery));
  }

  #isOverLimit(): boolean {
    return this.#deliveries.size > this.#limits.maxDeliveries || this.#bytes > this.#limits.maxBytes;
  }

  #measure(delivery: Delivery): void {
    const bytes = bytesOf(delivery);
    this.#bytes += bytes - (this.#sizes.get(delivery) ?? 0);
    this.#sizes.set(delivery, bytes);
  }

  #forget(delivery: Delivery): void {
    this.#deliveries.delete(delivery.id);
    this.#finished.delete(delivery);
    this.#replayable.get(delivery.endpointId)?.delete(delivery);
    this.#bytes -= this.#sizes.get(delivery) ?? 0;
    this.#sizes.delete(delivery);
  }
}

/** Copies share one body. It is counted for each, since each can be the last to keep it. */
function bytesOf({ body, attempts }: Delivery): number {
  return attempts.reduce((sum, attempt) => sum + bytesOfAttempt(attempt), body.byteLength);
}

function bytesOfAttempt({ body, headers, answer }: Attempt): number {
  const answered = answer === null ? 0 : answer.body.byteLength + bytesOfHeaders(answer.headers);
  return (body?.byteLength ?? 0) + bytesOfHeaders(headers) + answered;
}

function bytesOfHeaders(headers: Attempt["headers"]): number {
  return headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}

function first(deliveries: Iterable<Delivery>): Delivery | undefined {
  for (const delivery of deliveries) return delivery;
  return undefined;
}
