import type { AttemptSummary, Change, DeliverySummary, EndpointView } from "../../sandbox/index.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";

/**
 * Tells of each attempt once it is over, of what is parked without one, and of each changed secret, as a line.
 *
 * @param speed how much faster than the wall the sandbox's clock runs
 * @param secretOf the secret of an endpoint, which is only compared; undefined where it cannot be known yet
 */
export function reporter(
  output: Output,
  speed: number,
  secretOf: (endpointId: string) => string | undefined,
): (change: Change) => void {
  const names = new Map<string, string>();
  const secrets = new Map<string, string | undefined>();
  const told = new Told();
  const noteEndpoint = ({ id, name }: EndpointView) => {
    names.set(id, name);
    const [before, secret] = [secrets.get(id), secretOf(id)];
    secrets.set(id, secret);
    if (before !== undefined && before !== secret) tellOfSecret(output, name);
  };
  const noteDelivery = (delivery: DeliverySummary, now: number) => {
    const endpoint = names.get(delivery.endpointId) ?? delivery.endpointId;
    const attempt = told.next(delivery);
    if (attempt === undefined) {
      const reason = names.has(delivery.endpointId) ? "paused" : "gone";
      if (told.isParkedUnsent(delivery)) tellOfParking(output, delivery, endpoint, reason);
    } else if (output.json) output.record({ kind: "attempt", endpoint, ...about(delivery, attempt) });
    else output.line(line(delivery, attempt, { endpoint, output, waitMs: waitOf(delivery, now) / speed }));
  };
  return (change) => {
    if (change.kind === "endpoint") noteEndpoint(change.endpoint);
    else if (change.kind === "delivery") noteDelivery(change.delivery, change.now);
    else if (change.kind === "deliveries_dropped") told.forget(change.ids);
    else for (const known of [names, secrets]) known.delete(change.id);
  };
}

/** Which attempts have been told of. A delivery changes more often than it is sent. */
class Told {
  readonly #counts = new Map<string, number>();

  /** The last attempt of a delivery, where it is over and news. */
  next({ id, attempts }: DeliverySummary): AttemptSummary | undefined {
    const attempt = attempts.at(-1);
    if (attempt === undefined || attempt.latencyMs === null || this.#counts.get(id) === attempts.length)
      return undefined;
    this.#counts.set(id, attempts.length);
    return attempt;
  }

  /** Whether a delivery was parked without another attempt. Once a replay has taken its place, it was told of before. */
  isParkedUnsent({ id, state, replayed, attempts }: DeliverySummary): boolean {
    return state === "parked" && !replayed && (this.#counts.get(id) ?? 0) === attempts.length;
  }

  forget(ids: readonly string[]): void {
    for (const id of ids) this.#counts.delete(id);
  }
}

function tellOfSecret(output: Output, endpoint: string): void {
  if (output.json) output.record({ kind: "secret_changed", endpoint });
  else output.line(output.colors.yellow(`the secret of ${printable(endpoint, 30)} has changed`));
}

function tellOfParking(
  output: Output,
  { id, type, eventId }: DeliverySummary,
  endpoint: string,
  reason: "paused" | "gone",
): void {
  if (output.json) output.record({ kind: "parked", endpoint, id, type, eventId, reason });
  else output.line(`${type}  ${printable(endpoint, 30)}  ${output.colors.red(`parked: the endpoint is ${reason}`)}`);
}

function about(
  { id, type, eventId, origin, state, nextAttemptAt, attempts }: DeliverySummary,
  attempt: AttemptSummary,
): object {
  return { id, type, eventId, origin, state, nextAttemptAt, number: attempts.length, ...attempt };
}

function waitOf({ nextAttemptAt }: DeliverySummary, now: number): number {
  return nextAttemptAt === null ? 0 : Math.max(0, nextAttemptAt - now);
}

interface LineContext {
  readonly endpoint: string;
  readonly output: Output;
  /** Until the next attempt, on the wall. */
  readonly waitMs: number;
}

function line(delivery: DeliverySummary, attempt: AttemptSummary, { endpoint, output, waitMs }: LineContext): string {
  const { green, red, yellow, dim } = output.colors;
  const isGood = (delivery.state === "delivered") !== (delivery.origin === "forged");
  const color = isGood ? green : delivery.state === "retrying" ? yellow : red;
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
    color(delivery.state === "retrying" ? `again in ${duration(waitMs)}` : stateOf(delivery, attempt)),
    ...(notes === "" ? [] : [dim(`(${notes})`)]),
  ].join("  ");
}

function stateOf({ state, origin }: DeliverySummary, { status }: AttemptSummary): string {
  if (state === "delivered") return origin === "forged" ? "ACCEPTED A FORGERY" : state;
  if (origin === "forged") return status === null ? "not answered" : "refused, as it must be";
  return origin === "duplicate" ? "a copy is not retried" : state;
}

/** In the largest unit that leaves a number of two digits. */
function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}
