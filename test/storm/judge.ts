import type { Effect, EffectRow, Evidence, Span, Trouble } from "./evidence.ts";
import type { PlannedEvent } from "./plan.ts";
import type { Attempt } from "./provider.ts";

/** The facts that are known after a storm. */
export interface Case {
  readonly events: readonly PlannedEvent[];
  readonly attempts: readonly Attempt[];
  readonly evidence: Evidence;
  /** The rows that were committed together with completions. */
  readonly rows: readonly EffectRow[];
  readonly kills: ReadonlyMap<string, number>;
  readonly stops: readonly Span[];
  /** When the store was down, frozen, locked, or had its connections cut. */
  readonly outages: readonly Span[];
  /** Whether a suspended process may hold the only lock of the store, as in SQLite. */
  readonly oneWriter: boolean;
  readonly leaseMs: number;
  /** With an inbox: when everything was sent once more. By then nothing was left in it. */
  readonly replayedAt?: number | undefined;
}

/** Why an event that is not completed in the user's transaction may have run twice. */
export const REASONS = ["kill", "stop", "freeze", "store", "starved"] as const;
type Reason = (typeof REASONS)[number];

/** The findings of a storm. */
export interface Verdict {
  /** Events without an effect; with an inbox, those that had none before everything was sent once more. */
  readonly lost: readonly string[];
  /** Of these the events that had been answered 2xx: the provider never sends them again. */
  readonly lostAfter2xx: readonly string[];
  /** Events that were answered 2xx before there was any effect. An inbox does so with every event. */
  readonly promisedEarly: readonly string[];
  /** Events whose completion the store stored for two deliveries. */
  readonly completedTwice: readonly string[];
  /** Doubled effects without `completeIn` that a fault between the effect and the completion explains. */
  readonly explained: Readonly<Record<Reason, number>>;
  /** Doubled effects that nothing explains. */
  readonly unexplained: readonly string[];
  /** Events whose effect was committed twice with `completeIn`. */
  readonly doubledInTransaction: readonly string[];
}

/** How long an outage has effects after its end: clients wait for answers and reconnect. */
const AFTERMATH_MS = 5_000;
/** How late this process may notice the end of another. */
const NEWS_MS = 250;

/** Checks the recorded effects against the promises. */
export function judge(facts: Case): Verdict {
  const effects = groupBy(facts.evidence.effects, ({ eventId }) => eventId);
  const rows = groupBy(facts.rows, ({ eventId }) => eventId);
  const happened = (event: PlannedEvent) => (event.exactlyOnce ? rows : effects).get(event.id) ?? [];
  const { events, replayedAt = Number.POSITIVE_INFINITY } = facts;
  const acknowledged = acknowledgedAt(facts);
  const hasInbox = facts.replayedAt !== undefined;
  const ids = (some: readonly PlannedEvent[]) => some.map(({ id }) => id);
  const lost = events.filter((event) => !happened(event).some(({ happenedAt }) => happenedAt < replayedAt));
  const early = events.filter((event) => promisedBefore(happened(event), event, acknowledged));
  return {
    lost: ids(lost),
    lostAfter2xx: ids(lost.filter(({ id }) => (acknowledged.get(id) ?? replayedAt) < replayedAt)),
    promisedEarly: hasInbox ? [] : ids(early),
    completedTwice: completedTwice(facts),
    ...explanations([...effects.values()], facts),
    doubledInTransaction: [...rows].filter(([, committed]) => committed.length > 1).map(([id]) => id),
  };
}

function promisedBefore(
  effects: readonly { happenedAt: number }[],
  { id }: PlannedEvent,
  acknowledged: ReadonlyMap<string, number>,
): boolean {
  const promised = acknowledged.get(id);
  return promised !== undefined && !effects.some(({ happenedAt }) => happenedAt <= promised);
}

/** When each event was first answered 2xx. */
function acknowledgedAt(facts: Case): Map<string, number> {
  const first = new Map<string, number>();
  for (const { eventId, acknowledged, answeredAt } of facts.attempts) {
    if (acknowledged) first.set(eventId, Math.min(answeredAt, first.get(eventId) ?? Number.POSITIVE_INFINITY));
  }
  return first;
}

/** One delivery may complete repeatedly, when replies were lost. Two deliveries of an event may not. */
function completedTwice({ evidence }: Case): string[] {
  const byEvent = groupBy(evidence.stored, ({ eventId }) => eventId);
  return [...byEvent].filter(([, stored]) => new Set(stored.map(({ token }) => token)).size > 1).map(([id]) => id);
}

function explanations(
  effects: readonly (readonly Effect[])[],
  facts: Case,
): Pick<Verdict, "explained" | "unexplained"> {
  const explained = { kill: 0, stop: 0, freeze: 0, store: 0, starved: 0 };
  const unexplained: string[] = [];
  const explainer = new Explainer(facts);
  for (const same of effects) {
    const inOrder = [...same].sort((one, other) => one.startedAt - other.startedAt);
    for (const [at, second] of inOrder.slice(1).entries()) {
      const first = inOrder[at] as Effect;
      const swapped = overlapping(first, second) ? explainer.reasonFor(second, first) : undefined;
      const reason = explainer.reasonFor(first, second) ?? swapped;
      if (reason) explained[reason] += 1;
      else unexplained.push(`${first.eventId}: ${described(first)}, then ${described(second)}`);
    }
  }
  return { explained, unexplained };
}

/** For overlapping deliveries it is unknown which one claimed first. */
function overlapping(first: Effect, second: Effect): boolean {
  return second.receivedAt < first.startedAt;
}

/**
 * Finds why the first of two effects was not completed when the second delivery got the claim: a fault of the first delivery's own
 * process, or of its own calls to the store for this event, between its arrival and the start of the second.
 */
class Explainer {
  readonly #facts: Case;
  readonly #outages: readonly Span[];
  readonly #storedAt: ReadonlyMap<string | undefined, number>;
  readonly #acknowledgedAt: ReadonlyMap<string, number>;
  readonly #still: ReadonlyMap<string, readonly Span[]>;
  readonly #troubles: ReadonlyMap<string, readonly Trouble[]>;

  constructor(facts: Case) {
    const { stored, still, troubles } = facts.evidence;
    const acknowledged = facts.attempts.filter((attempt) => attempt.acknowledged);
    this.#facts = facts;
    this.#outages = facts.oneWriter ? [...facts.outages, ...facts.stops, ...still] : facts.outages;
    // The first answer counts: a delivery whose reply was lost asks again.
    this.#storedAt = new Map(
      [...stored].sort((one, other) => other.at - one.at).map(({ delivery, at }) => [delivery, at]),
    );
    this.#acknowledgedAt = new Map(acknowledged.map(({ delivery, answeredAt }) => [delivery, answeredAt]));
    this.#still = groupBy(still, ({ who }) => who);
    this.#troubles = groupBy(troubles, ({ who, eventId }) => `${who} ${eventId}`);
  }

  reasonFor(first: Effect, second: Effect): Reason | undefined {
    // The inbox had nothing left to run.
    if (second.startedAt >= (this.#facts.replayedAt ?? Number.POSITIVE_INFINITY)) return undefined;
    // Once the store has stored a completion, later deliveries must be duplicates; no fault after that is a reason.
    if ((this.#storedAt.get(first.delivery) ?? Number.POSITIVE_INFINITY) < second.receivedAt) return undefined;
    const between = { who: first.receiver, from: first.receivedAt, to: second.startedAt };
    return this.#stillness(between) ?? this.#trouble(first, between) ?? this.#kill(first, second);
  }

  /** Stops that are long enough for a lease to expire: half of it, since a renewal may have been due. */
  #stillness(between: Span): Reason | undefined {
    const { stops, leaseMs } = this.#facts;
    const long = (span: Span) => meet(span, between) && span.to - span.from >= leaseMs / 2;
    if (stops.some((stop) => stop.who === between.who && long(stop))) return "stop";
    const still = (this.#still.get(between.who) ?? []).filter(long);
    if (still.length === 0) return undefined;
    return still.some((span) => "kind" in span && span.kind === "frozen") ? "freeze" : "starved";
  }

  #trouble({ receiver, eventId }: Effect, between: Span): Reason | undefined {
    const troubles = (this.#troubles.get(`${receiver} ${eventId}`) ?? []).filter((trouble) => meet(trouble, between));
    if (troubles.some((trouble) => this.#outageBehind(trouble))) return "store";
    return troubles.some(({ kind }) => kind === "slow") ? "starved" : undefined;
  }

  #outageBehind(trouble: Trouble): boolean {
    return this.#outages.some(({ who, from, to }) => meet({ who, from, to: to + AFTERMATH_MS }, trouble));
  }

  /** A kill after the effect and before the answer. */
  #kill({ receiver, delivery, happenedAt }: Effect, { startedAt }: Effect): Reason | undefined {
    const killedAt = this.#facts.kills.get(receiver);
    if (killedAt === undefined || killedAt < happenedAt || killedAt > startedAt + NEWS_MS) return undefined;
    return (this.#acknowledgedAt.get(delivery) ?? Number.POSITIVE_INFINITY) < killedAt ? undefined : "kill";
  }
}

function meet(one: Span, other: Span): boolean {
  return one.from <= other.to && other.from <= one.to;
}

function described({ receiver, delivery, receivedAt, startedAt, happenedAt }: Effect): string {
  return `${delivery} at receiver ${receiver} (came ${receivedAt}, began ${startedAt}, effect ${happenedAt})`;
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
