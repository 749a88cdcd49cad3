import type { AttemptSummary, Change, DeliverySummary, EndpointView } from "../../sandbox/index.ts";
import { duration } from "../duration.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";

/**
 * Returns a function that prints finished attempts, deliveries that are parked without an attempt, and changed secrets.
 *
 * @param speed the speed of the sandbox's clock relative to the wall clock
 * @param secretOf the secret of an endpoint, which is compared only; undefined if it is not known yet
 */
export function changePrinter(
  output: Output,
  speed: number,
  secretOf: (endpointId: string) => string | undefined,
): (change: Change) => void {
  const names = new Map<string, string>();
  const secrets = new Map<string, string | undefined>();
  const printed = new PrintedAttempts();
  const endpointChanged = ({ id, name }: EndpointView) => {
    names.set(id, name);
    const [before, secret] = [secrets.get(id), secretOf(id)];
    secrets.set(id, secret);
    if (before !== undefined && before !== secret) printSecretChange(output, name);
  };
  const deliveryChanged = (delivery: DeliverySummary, now: number) => {
    const endpoint = names.get(delivery.endpointId) ?? delivery.endpointId;
    const attempt = printed.next(delivery);
    if (attempt === undefined) {
      const reason = names.has(delivery.endpointId) ? "paused" : "gone";
      if (printed.isParkedUnsent(delivery)) printParked(output, delivery, endpoint, reason);
    } else if (output.json) output.record({ kind: "attempt", endpoint, ...recordOf(delivery, attempt) });
    else output.line(lineOf(delivery, attempt, { endpoint, output, waitMs: waitMs(delivery, now) / speed }));
  };
  return (change) => {
    if (change.kind === "endpoint") endpointChanged(change.endpoint);
    else if (change.kind === "delivery") deliveryChanged(change.delivery, change.now);
    else if (change.kind === "deliveries_dropped") printed.forget(change.ids);
    else for (const map of [names, secrets]) map.delete(change.id);
  };
}

/** The attempts that are already printed: a delivery changes several times for each attempt. */
class PrintedAttempts {
  readonly #counts = new Map<string, number>();

  /** The last attempt of a delivery, if it is finished and not printed yet. */
  next({ id, attempts }: DeliverySummary): AttemptSummary | undefined {
    const attempt = attempts.at(-1);
    if (attempt === undefined || attempt.latencyMs === null || this.#counts.get(id) === attempts.length)
      return undefined;
    this.#counts.set(id, attempts.length);
    return attempt;
  }

  /** Whether a delivery was parked without another attempt. A replayed one was printed before. */
  isParkedUnsent({ id, state, replayed, attempts }: DeliverySummary): boolean {
    return state === "parked" && !replayed && (this.#counts.get(id) ?? 0) === attempts.length;
  }

  forget(ids: readonly string[]): void {
    for (const id of ids) this.#counts.delete(id);
  }
}

function printSecretChange(output: Output, endpoint: string): void {
  if (output.json) output.record({ kind: "secret_changed", endpoint });
  else output.line(output.colors.yellow(`the secret of ${printable(endpoint, 30)} has changed`));
}

function printParked(
  output: Output,
  { id, type, eventId }: DeliverySummary,
  endpoint: string,
  reason: "paused" | "gone",
): void {
  if (output.json) output.record({ kind: "parked", endpoint, id, type, eventId, reason });
  else output.line(`${type}  ${printable(endpoint, 30)}  ${output.colors.red(`parked: the endpoint is ${reason}`)}`);
}

function recordOf(
  { id, type, eventId, origin, state, nextAttemptAt, attempts }: DeliverySummary,
  attempt: AttemptSummary,
): object {
  return { id, type, eventId, origin, state, nextAttemptAt, number: attempts.length, ...attempt };
}

/** The time until the next attempt, by the sandbox's clock. */
function waitMs({ nextAttemptAt }: DeliverySummary, now: number): number {
  return nextAttemptAt === null ? 0 : Math.max(0, nextAttemptAt - now);
}

interface LineContext {
  readonly endpoint: string;
  readonly output: Output;
  /** The time until the next attempt, by the wall clock. */
  readonly waitMs: number;
}

function lineOf(delivery: DeliverySummary, attempt: AttemptSummary, { endpoint, output, waitMs }: LineContext): string {
  const { green, red, yellow, dim } = output.colors;
  const isExpected = (delivery.state === "delivered") !== (delivery.origin === "forged");
  const color = isExpected ? green : delivery.state === "retrying" ? yellow : red;
  const answer = attempt.status === null ? printable(attempt.error ?? "no answer", 40) : String(attempt.status);
  const origin = delivery.origin === "event" ? [] : [delivery.origin];
  const notes = [...origin, ...(attempt.fault === null ? [] : [attempt.fault])].join(", ");
  return [
    dim(new Date(attempt.at).toISOString().slice(11, 19)),
    delivery.type.padEnd(30),
    printable(endpoint, 30),
    `#${delivery.attempts.length}`,
    color(answer),
    dim(`${attempt.latencyMs} ms`),
    color(delivery.state === "retrying" ? `again in ${duration(waitMs)}` : resultOf(delivery, attempt)),
    ...(notes === "" ? [] : [dim(`(${notes})`)]),
  ].join("  ");
}

function resultOf({ state, origin }: DeliverySummary, { status, unhandled = false }: AttemptSummary): string {
  if (state === "delivered" && origin !== "forged") return unhandled ? "unhandled" : state;
  if (state === "delivered") return "ACCEPTED A FORGERY";
  if (origin === "forged") return status === null ? "not answered" : "refused, as expected";
  return origin === "duplicate" ? "copies are not retried" : state;
}
