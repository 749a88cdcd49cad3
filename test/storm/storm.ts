import { setMaxListeners } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Backend, openBackend } from "./backends.ts";
import { Drain, type InboxLeft } from "./drain.ts";
import { readEvidence, type Span } from "./evidence.ts";
import { Fleet, type ReceiverConfig } from "./fleet.ts";
import { judge, type Verdict } from "./judge.ts";
import { backendOf, drawPlan, isInbox, type Mode, type Plan, type TimedFault } from "./plan.ts";
import { type Attempt, Provider } from "./provider.ts";

/** The options of a storm. */
export interface StormOptions {
  readonly store: Mode;
  readonly seed: number;
  readonly events: number;
  readonly faults: number;
  /** @default 4 */
  readonly receivers?: number;
  /** How long new events are sent, in milliseconds. @default 25 ms an event, and 240 ms a fault */
  readonly spanMs?: number | undefined;
  /** The share of each fault. @default all that the store can have */
  readonly shares?: Readonly<Record<string, number>> | undefined;
  /** Puts this flaw into the store or the inbox. */
  readonly flaw?: Flaw | undefined;
  /** The URL of the built package. @default dist of this repository */
  readonly dist?: string | undefined;
  /** Ends the storm early; what was recorded by then is judged. */
  readonly signal?: AbortSignal | undefined;
}

/** The flaws that can be put in: two into the store in Redis, two into any inbox. */
export type Flaw = "check-then-set" | "unfenced" | "ack-before-store" | "forgets-attempts";

/** The result of a storm. */
export interface StormResult {
  readonly store: Mode;
  readonly flaw: string | undefined;
  readonly seed: number;
  /** The digest of the plan: the same for the same events and faults. */
  readonly plan: string;
  readonly events: number;
  readonly eventsInTransaction: number;
  readonly deliveries: number;
  /** How often each answer was given. */
  readonly answers: Readonly<Record<string, number>>;
  /** How often each fault has struck. */
  readonly faults: Readonly<Record<string, number>>;
  readonly effects: number;
  readonly effectsInTransaction: number;
  readonly verdict: Verdict;
  /** What was left in the inbox. Undefined for a store. */
  readonly inbox: InboxLeft | undefined;
  readonly crashes: readonly string[];
  readonly durationMs: number;
  /** The promises that were broken. Empty if the store or the inbox passed. */
  readonly broken: readonly string[];
}

const LEASE_MS = 1_000;
/** How long retries may take after the last new event. */
const TAIL_MS = 45_000;
const REPLAY_MS = 30_000;
const SECRET = "a secret for the storm only";
const DIST = new URL("../../dist", import.meta.url).href;

/** Runs a storm over a store or an inbox, and judges it. */
export async function runStorm(options: StormOptions): Promise<StormResult> {
  const { events, faults, receivers = 4, spanMs = Math.max(25 * events, 240 * faults), store, seed, shares } = options;
  const plan = drawPlan({ shares, store, seed, events, faults, receivers, spanMs, leaseMs: LEASE_MS });
  const directory = mkdtempSync(join(tmpdir(), "retry-storm-"));
  const tidy = () => rmSync(directory, { recursive: true, force: true });
  process.once("exit", tidy);
  try {
    mkdirSync(join(directory, "struck"));
    const backend = await openBackend(store, directory);
    try {
      return await runPlan(options, plan, directory, receivers, backend);
    } finally {
      await backend.stop();
    }
  } finally {
    process.off("exit", tidy);
    tidy();
  }
}

async function runPlan(
  options: StormOptions,
  plan: Plan,
  directory: string,
  receivers: number,
  backend: Backend,
): Promise<StormResult> {
  const { store, flaw, seed, dist = DIST } = options;
  const began = Date.now();
  const config = { kind: store, flaw, address: backend.address, dist, directory, leaseMs: LEASE_MS, secret: SECRET };
  const fleet = new Fleet(config);
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  options.signal?.addEventListener("abort", () => over.abort());
  const provider = new Provider({
    secret: SECRET,
    seed,
    portOf: (chance) => fleet.portOf(chance),
    signal: over.signal,
  });
  try {
    await fleet.start(receivers);
    const startedAt = Date.now();
    const striking = strike(plan.timed, startedAt, fleet, backend, over.signal);
    await inTime(provider.send(plan.events, startedAt), plan.spanMs + TAIL_MS);
    const struck = await striking;
    const acknowledged = provider.pending === 0;
    const replay = async () => {
      if (acknowledged) await inTime(provider.replay(plan.events), REPLAY_MS);
    };
    const emptied = isInbox(store) ? await emptyInbox(config, replay, over.signal) : undefined;
    if (emptied === undefined) await replay();
    over.abort();
    await fleet.end();
    const rows = await backend.rows();
    const evidence = readEvidence(directory);
    const { kills, stops, crashes } = fleet;
    const verdict = judge({
      events: plan.events,
      attempts: provider.attempts,
      evidence,
      rows,
      kills,
      stops,
      outages: struck.outages,
      oneWriter: backendOf(store) === "sqlite",
      leaseMs: LEASE_MS,
      replayedAt: emptied?.replayedAt,
    });
    const found = { verdict, crashes, unacknowledged: provider.pending, left: emptied?.left ?? 0 };
    return {
      store,
      flaw,
      seed,
      plan: plan.digest,
      events: plan.events.length,
      eventsInTransaction: plan.events.filter(({ exactlyOnce }) => exactlyOnce).length,
      deliveries: provider.attempts.length,
      answers: tally(provider.attempts.map(({ answer }: Attempt) => answer)),
      faults: tally([
        ...struck.acts,
        ...plan.events.flatMap((event) =>
          event.faults.filter(({ id }) => evidence.struck.has(id)).map(({ act }) => act),
        ),
      ]),
      effects: evidence.effects.length,
      effectsInTransaction: rows.length,
      verdict,
      inbox: emptied,
      crashes,
      durationMs: Date.now() - began,
      broken: brokenPromises(found),
    };
  } finally {
    over.abort();
    provider.close();
    await fleet.end();
  }
}

/** Lets the receivers process all that is in the inbox and redrives what is parked, before and after everything is sent once more. */
async function emptyInbox(
  config: ReceiverConfig & { readonly kind: Mode },
  replay: () => Promise<void>,
  signal: AbortSignal,
): Promise<InboxLeft & { readonly replayedAt: number }> {
  const drain = await Drain.open(config, signal);
  try {
    await drain.empty();
    const replayedAt = Date.now();
    await replay();
    return { ...(await drain.left()), replayedAt };
  } finally {
    await drain.close();
  }
}

interface Struck {
  readonly acts: string[];
  readonly outages: Span[];
}

/** Lets the timed faults strike: those of processes in parallel, those of the store in sequence. */
async function strike(
  timed: readonly TimedFault[],
  startedAt: number,
  fleet: Fleet,
  backend: Backend,
  signal: AbortSignal,
): Promise<Struck> {
  const struck: Struck = { acts: [], outages: [] };
  const ofProcesses = timed.filter(({ act }) => act === "kill" || act === "stop");
  const ofStore = timed.filter(({ act }) => act !== "kill" && act !== "stop");
  const hit = async ({ act, atMs, forMs, slot }: TimedFault) => {
    await pause(Math.max(0, startedAt + atMs - Date.now()), undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    if (act === "kill") await fleet.kill(slot, forMs);
    else if (act === "stop") await fleet.stop(slot, forMs);
    else await disturb(act, forMs, backend, struck);
    struck.acts.push(act);
  };
  const oneByOne = async () => {
    for (const fault of ofStore) await hit(fault);
  };
  await Promise.all([...ofProcesses.map(hit), oneByOne()]);
  return struck;
}

async function disturb(act: TimedFault["act"], forMs: number, backend: Backend, { outages }: Struck): Promise<void> {
  const from = Date.now();
  await backend.faults[act]?.(forMs);
  outages.push({ who: act, from, to: Date.now() });
}

async function inTime(work: Promise<void>, ms: number): Promise<void> {
  await Promise.race([work, pause(ms, undefined, { ref: false })]);
}

function brokenPromises({
  verdict,
  crashes,
  unacknowledged,
  left,
}: {
  verdict: Verdict;
  crashes: readonly string[];
  unacknowledged: number;
  left: number;
}): string[] {
  const said = (what: string, found: readonly string[]) =>
    found.length === 0 ? [] : [`${found.length} ${what}: ${found.slice(0, 5).join("; ")}`];
  return [
    ...said("without an effect", verdict.lost),
    ...(unacknowledged === 0 ? [] : [`${unacknowledged} deliveries were never answered 2xx`]),
    ...(left === 0 ? [] : [`${left} events were left in the inbox, or parked`]),
    ...said("answered 2xx before there was an effect", verdict.promisedEarly),
    ...said("completed twice", verdict.completedTwice),
    ...said("doubled, and nothing explains it", verdict.unexplained),
    ...said("doubled with completeIn", verdict.doubledInTransaction),
    ...said("receivers ended by themselves", crashes),
  ];
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
