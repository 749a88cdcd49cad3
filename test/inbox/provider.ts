import { setTimeout as sleep } from "node:timers/promises";
import type { Delivery, Receiver } from "../../src/index.ts";

/** How long it waits before it sends a delivery again, in milliseconds. */
const RETRY_MS = 100;

/** How a receiver answered a delivery. The times are those of `performance.now()`. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly sentAt: number;
  readonly answeredAt: number;
}

/** Sends the same delivery until it is answered 2xx, as the provider does, though sooner. Returns all answers; the last one is 2xx. */
export async function deliver(receiver: Receiver, delivery: Delivery, withinMs = 30_000): Promise<Answer[]> {
  const answers: Answer[] = [];
  const endsAt = performance.now() + withinMs;
  for (;;) {
    const sentAt = performance.now();
    const { status, body } = await receiver.handle(delivery);
    answers.push({ status, body, sentAt, answeredAt: performance.now() });
    if (status < 300) return answers;
    if (performance.now() > endsAt) throw new Error(`never answered 2xx, the last time ${status} ${body}`);
    await sleep(RETRY_MS);
  }
}
