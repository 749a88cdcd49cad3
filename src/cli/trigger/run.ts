import type { Progress } from "../progress.ts";
import { evaluate } from "./evaluate.ts";
import { type Signing, signedDelivery } from "./forgeries.ts";
import type { PlannedEvent } from "./plan.ts";
import { type Answer, send } from "./send.ts";
import type { Summary } from "./summary.ts";

/** The target of deliveries, and how to sign and send them. */
export interface Sending extends Signing {
  readonly url: URL;
  /** The limit for one answer. */
  readonly timeoutMs: number;
  /** The number of deliveries at a time. */
  readonly concurrency: number;
  /** Stops the run. */
  readonly signal: AbortSignal;
}

/** The number of deliveries without an answer after which a run stops, if there was no answer at all. */
const MAX_UNANSWERED = 3;

/**
 * Delivers the events, several at a time, and adds the results to the summary. It stops early if the signal aborts, or if the
 * target does not answer.
 */
export async function run(
  events: Iterable<PlannedEvent>,
  sending: Sending,
  summary: Summary,
  progress: Progress,
): Promise<void> {
  const { url, timeoutMs, signal, concurrency } = sending;
  const deliveries = deliveriesOf(events);
  const open = new Set<OpenEvent>();
  let answered = 0;
  let unanswered = 0;

  async function deliver(): Promise<void> {
    for (const one of deliveries) {
      open.add(one);
      const answer = await send(url, signedDelivery(one.event, sending), timeoutMs, signal);
      if (signal.aborted) return;
      one.answers.push(answer);
      if (one.answers.length === one.event.deliveries) addResult(one);
      progress.step();
      if (answer.status === undefined) unanswered += 1;
      else answered += 1;
      if (answered === 0 && unanswered >= MAX_UNANSWERED) return;
    }
  }
  function addResult(one: OpenEvent): void {
    open.delete(one);
    summary.add(one.event, evaluate(one.event, one.answers));
  }
  await Promise.all(Array.from({ length: concurrency }, deliver));
  for (const one of open) addResult(one);
}

/** An event with the answers so far. */
interface OpenEvent {
  readonly event: PlannedEvent;
  readonly answers: Answer[];
}

/** Each event, repeated for each of its deliveries. */
function* deliveriesOf(events: Iterable<PlannedEvent>): Generator<OpenEvent> {
  for (const event of events) {
    const one = { event, answers: [] };
    for (let copy = 0; copy < event.deliveries; copy++) yield one;
  }
}
