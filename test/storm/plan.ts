import { createHash } from "node:crypto";
import { randomFrom } from "../../src/sandbox/random.ts";

/** The stores that the storm is run against. */
export const STORES = ["redis", "postgres", "sqlite"] as const;
type StoreKind = (typeof STORES)[number];

/** The inboxes that the storm is run against. */
const INBOXES = ["inbox-sqlite", "inbox-bullmq", "inbox-pg-boss"] as const;
type InboxKind = (typeof INBOXES)[number];

/** What the receivers of a storm share: a store, or an inbox. */
export type Mode = StoreKind | InboxKind;
export const MODES: readonly Mode[] = [...STORES, ...INBOXES];

/** Whether the receivers store events in an inbox, and process them later. */
export function isInbox(mode: Mode): mode is InboxKind {
  return mode.startsWith("inbox-");
}

/** The server, or the file, that a store or an inbox is in. */
export function backendOf(mode: Mode): StoreKind {
  const backends = { "inbox-sqlite": "sqlite", "inbox-bullmq": "redis", "inbox-pg-boss": "postgres" } as const;
  return isInbox(mode) ? backends[mode] : mode;
}

/** When a fault strikes in a handler: at its start, after the effect, between `completeIn` and the commit, before it returns. */
type Moment = "start" | "effect" | "completed" | "end";

/**
 * The fault of a handler. `slow` waits longer than the lease and must do no harm; `freeze` blocks its process for longer; `park` parks
 * the event, which is redriven in the end.
 */
type Act = "throw" | "return" | "slow" | "freeze" | "freeze and throw" | "kill" | "park";

/** A fault in the handler of one event. It strikes once, in the first process that gets there. */
interface HandlerFault {
  readonly id: number;
  readonly act: Act;
  readonly at: Moment;
  readonly forMs: number;
}

/** A fault of a process or of the store, at a planned time. */
export interface TimedFault {
  readonly id: number;
  readonly act: "kill" | "stop" | "cut" | "restart" | "hang" | "lock";
  readonly atMs: number;
  readonly forMs: number;
  /** Which receiver; the next one if it is down. */
  readonly slot: number;
}

/** One event with its faults. Times count from the start of the storm. */
export interface PlannedEvent {
  readonly id: string;
  readonly type: string;
  /** Whether its effect and its completion are one transaction. */
  readonly exactlyOnce: boolean;
  readonly body: string;
  /** When its first delivery is sent, and the duplicates that the provider sends without need. */
  readonly sentAtMs: readonly number[];
  readonly faults: HandlerFault[];
}

export interface Plan {
  readonly events: readonly PlannedEvent[];
  readonly timed: readonly TimedFault[];
  /** How long the provider sends new events. */
  readonly spanMs: number;
  /** The same for the same plan. */
  readonly digest: string;
}

export interface PlanOptions {
  readonly store: Mode;
  readonly seed: number;
  readonly events: number;
  readonly faults: number;
  readonly receivers: number;
  readonly leaseMs: number;
  readonly spanMs: number;
  /** The share of each kind of fault. @default all that the store can have */
  readonly shares?: Readonly<Record<string, number>> | undefined;
}

/** The size of a storm with `--ci`: enough for several faults of every kind. */
export const CI_SIZE = { events: 600, faults: 65 };

type Random = () => number;

const OF_PROCESSES = { throw: 26, slow: 13, freeze: 6, "freeze and throw": 4, kill: 11, killed: 8, stop: 8 };
const OF_SERVERS = { cut: 10, restart: 4, hang: 4 };
/** The share of each fault. Most receivers must be up at any time, or there are no races. */
const SHARES: Readonly<Record<StoreKind, Readonly<Record<string, number>>>> = {
  redis: { ...OF_PROCESSES, ...OF_SERVERS },
  postgres: { ...OF_PROCESSES, ...OF_SERVERS, return: 6 },
  sqlite: { ...OF_PROCESSES, lock: 8, return: 6 },
};

/** The share of each fault that a store or an inbox can have. */
function sharesOf(mode: Mode): Readonly<Record<string, number>> {
  const shares = SHARES[backendOf(mode)];
  return isInbox(mode) ? { ...shares, park: 8 } : shares;
}

const PLAIN_MOMENTS: Readonly<Record<string, readonly Moment[]>> = {
  throw: ["start"],
  slow: ["start", "end"],
  freeze: ["start", "end"],
  "freeze and throw": ["start"],
  kill: ["start", "end"],
  park: ["start"],
};

const TRANSACTION_MOMENTS: Readonly<Record<string, readonly Moment[]>> = {
  throw: ["start", "effect", "completed"],
  return: ["completed"],
  slow: ["start", "completed", "end"],
  freeze: ["start", "completed", "end"],
  "freeze and throw": ["start", "completed"],
  kill: ["start", "effect", "completed", "end"],
  park: ["start", "effect", "completed"],
};

/** Plans a storm: the same options give the same events, duplicates and faults. */
export function drawPlan(options: PlanOptions): Plan {
  const random = randomFrom(options.seed);
  const events = Array.from({ length: options.events }, (_, number) => drawEvent(number, options, random));
  const timed: TimedFault[] = [];
  for (const [id, act] of drawActs(options, random).entries()) {
    if (isTimed(act)) timed.push(drawTimed(id, act, options, random));
    else drawHandlerFault(id, act as Act, events, options, random);
  }
  timed.sort((one, other) => one.atMs - other.atMs);
  const digest = createHash("sha256")
    .update(JSON.stringify([events, timed]))
    .digest("hex")
    .slice(0, 12);
  return { events, timed, spanMs: options.spanMs, digest };
}

/** A whole number within bounds. */
export function between(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

function drawEvent(number: number, { store, events, spanMs }: PlanOptions, random: Random): PlannedEvent {
  const exactlyOnce = backendOf(store) !== "redis" && random() < 0.5;
  const id = `evt_${String(number).padStart(6, "0")}`;
  const type = exactlyOnce ? "transfer.deposit.completed" : "order.filled";
  // Some handlers check their signal before the effect; the others must be fenced, too.
  const data = {
    id: `${exactlyOnce ? "dep" : "ord"}_${number}`,
    work_ms: between(random, 5, 50),
    careful: random() < 0.5,
  };
  const body = JSON.stringify({ event: type, event_id: id, data });
  // The provider promises no order: deliveries overtake each other.
  const first = (spanMs * number) / events + between(random, 0, 400);
  const sentAtMs = [first];
  if (random() < 0.2) sentAtMs.push(first + between(random, 0, 15));
  if (random() < 0.2) sentAtMs.push(first + between(random, 100, 4_000));
  return { id, type, exactlyOnce, body, sentAtMs, faults: [] };
}

/** A list of kinds in proportion to their shares, in random order. */
function drawActs({ store, faults, shares: chosen = sharesOf(store) }: PlanOptions, random: Random): string[] {
  const shares = Object.entries(chosen);
  const whole = shares.reduce((sum, [, share]) => sum + share, 0);
  const acts = shares.flatMap(([act, share]) =>
    Array.from({ length: Math.floor((faults * share) / whole) }, () => act),
  );
  while (acts.length < faults) acts.push("throw");
  for (let at = acts.length - 1; at > 0; at -= 1) {
    const other = between(random, 0, at);
    [acts[at], acts[other]] = [acts[other] as string, acts[at] as string];
  }
  return acts;
}

function isTimed(act: string): act is TimedFault["act"] | "killed" {
  return ["killed", "stop", "cut", "restart", "hang", "lock"].includes(act);
}

function drawTimed(id: number, act: TimedFault["act"] | "killed", options: PlanOptions, random: Random): TimedFault {
  const { leaseMs, receivers, spanMs } = options;
  const lasting = {
    killed: [50, 300],
    stop: [1.1 * leaseMs, 2 * leaseMs],
    restart: [0, 700],
    hang: [300, 2_600],
    lock: [100, 2_600],
  };
  const [least, most] = act === "cut" || act === "kill" ? [0, 0] : (lasting[act] as [number, number]);
  return {
    id,
    act: act === "killed" ? "kill" : act,
    atMs: between(random, 0.02 * spanMs, spanMs),
    // Mostly short: with a store that is down half of the time there are no races.
    forMs: Math.round(least + (most - least) * random() ** 2),
    slot: between(random, 0, receivers - 1),
  };
}

function drawHandlerFault(
  id: number,
  act: Act,
  events: PlannedEvent[],
  { store, leaseMs }: PlanOptions,
  random: Random,
): void {
  // One for each event: of two faults one might never strike.
  const fitting = events.filter(({ exactlyOnce, faults }) => faults.length === 0 && (exactlyOnce || act !== "return"));
  const event = fitting[between(random, 0, fitting.length - 1)];
  if (event === undefined) return;
  const moments = event.exactlyOnce ? transactionMoments(act, store) : (PLAIN_MOMENTS[act] ?? []);
  const at = moments[between(random, 0, moments.length - 1)] as Moment;
  const lasts = act === "slow" || act.startsWith("freeze");
  event.faults.push({ id, act, at, forMs: lasts ? between(random, 1.2 * leaseMs, 1.8 * leaseMs) : 0 });
  // Another delivery should come, to take the event over and to ask for it again later.
  const [first = 0] = event.sentAtMs;
  (event.sentAtMs as number[]).push(first + between(random, 0, 30), first + between(random, 500, 4_000));
}

/** Transactions of SQLite are synchronous: nothing can be waited for inside them. */
function transactionMoments(act: Act, store: Mode): readonly Moment[] {
  const moments = TRANSACTION_MOMENTS[act] ?? [];
  return act === "slow" && backendOf(store) === "sqlite" ? moments.filter((moment) => moment !== "completed") : moments;
}
