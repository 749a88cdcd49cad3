import type { Progress } from "../progress.ts";
import { judge } from "./evaluate.ts";
import { deliver, type Signing } from "./forgeries.ts";
import type { PlannedEvent } from "./plan.ts";
import { type Answer, send } from "./send.ts";
import type { Tally } from "./summary.ts";

/** Where and how to send. */
export interface Sending extends Signing {
  readonly url: URL;
  readonly timeoutMs: number;
  /** How many deliveries are on their way at a time. */
  readonly concurrency: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/** Without any answer, so many deliveries are enough to tell that nobody is there. */
const ENOUGH_UNANSWERED = 3;

/**
 * Delivers what is planned, so many at a time, and tallies what came of it. It ends early where the signal aborts, and where
 * nobody answers.
 */
export async function run(
  events: Iterable<PlannedEvent>,
  sending: Sending,
  outcomes: Tally,
  progress: Progress,
): Promise<void> {
  const { url, timeoutMs, signal, concurrency } = sending;
  const deliveries = deliveriesOf(events);
  const open = new Set<Delivered>();
  let answered = false;
  let unanswered = 0;

  async function work(): Promise<void> {
    for (const delivered of deliveries) {
      open.add(delivered);
      const answer = await send(url, deliver(delivered.event, sending), timeoutMs, signal);
      if (signal.aborted) return;
      delivered.answers.push(answer);
      if (delivered.answers.length === delivered.event.deliveries) conclude(delivered);
      progress.step();
      if (answer.status === undefined) unanswered += 1;
      else answered = true;
      if (!answered && unanswered >= ENOUGH_UNANSWERED) return;
    }
  }
  function conclude(delivered: Delivered): void {
    open.delete(delivered);
    outcomes.add(delivered.event, judge(delivered.event, delivered.answers));
  }
  await Promise.all(Array.from({ length: concurrency }, work));
  for (const delivered of open) conclude(delivered);
}

/** An event, and the answers to it so far. */
interface Delivered {
  readonly event: PlannedEvent;
  readonly answers: Answer[];
}

/** Each event as often as it is to be delivered. */
function* deliveriesOf(events: Iterable<PlannedEvent>): Generator<Delivered> {
  for (const event of events) {
    const delivered = { event, answers: [] };
    for (let copy = 0; copy < event.deliveries; copy++) yield delivered;
  }
}
