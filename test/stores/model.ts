import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { expect } from "vitest";
import type { StoreUnderTest } from "../../src/testing/store-contract.ts";

/**
 * What any store must answer, as a state machine: one event's state and a verb give the answer and the next state. Written
 * from the contract, without a look at any store. Ends and times never coincide (see `scenes`), so the machine need
 * not say who owns the last instant.
 */
type State = { kind: "unknown" } | { kind: "live" | "done"; token: string; until: number };

type Step = { key: string; token: string } & (
  | { verb: "claim" | "renew"; leaseMs: number }
  | { verb: "complete"; retentionMs: number }
  | { verb: "release" }
  | { verb: "forget" }
);

/** Every answer that is right, and the state after it. */
type Prediction = readonly [answers: readonly string[], next: State];

const UNKNOWN: State = { kind: "unknown" };

function predict(before: State, step: Step, now: number): Prediction {
  const over = before.kind !== "unknown" && before.until <= now;
  const state = over ? UNKNOWN : before;
  // A store may or may not know of an expired claim any more.
  if (over && step.verb === "release" && before.kind === "live" && before.token === step.token) {
    return [["false", "true"], UNKNOWN];
  }
  const whose = state.kind === "unknown" || state.token === step.token ? "mine" : "another's";
  return predictCurrent(state, `${whose} ${state.kind}`, step, now);
}

function predictCurrent(state: State, found: string, step: Step, now: number): Prediction {
  if (step.verb === "forget") return [[String(state.kind !== "unknown")], UNKNOWN];
  if (step.verb === "release") return found === "mine live" ? [["true"], UNKNOWN] : [["false"], state];
  const until = now + (step.verb === "complete" ? step.retentionMs : step.leaseMs);
  const live: State = { kind: "live", token: step.token, until };
  if (step.verb === "renew") return found === "mine live" ? [["true"], live] : [["false"], state];
  if (step.verb === "claim") return predictClaim(state, found, live, now);
  if (found === "another's live") return [["held_by_another"], state];
  if (found === "another's done") return [["completed_by_another"], state];
  // Whether a repetition prolongs the retention is left open: no script looks between the two ends.
  return [["stored"], { ...live, kind: "done" }];
}

function predictClaim(state: State, found: string, live: State, now: number): Prediction {
  if (state.kind === "done") return [["completed"], state];
  if (state.kind === "unknown" || found === "mine live") return [["claimed"], live];
  return [["in_flight", `in_flight ${state.until - now}`], state];
}

type World = ReadonlyMap<string, State>;

/** A batch of concurrent verbs, and what each was answered. */
interface Round {
  readonly batch: readonly Step[];
  readonly answers: readonly string[];
  readonly now: number;
  readonly rowLocks: boolean;
}

/** The worlds that explain what a batch of concurrent verbs was answered: those of every order that fits. */
function explain(worlds: readonly World[], round: Round): World[] {
  const orders = permutations(round.batch.map((_, place) => place));
  return worlds.flatMap((world) => orders.flatMap((order) => replay(world, order, round)));
}

function replay(world: World, order: readonly number[], round: Round): World[] {
  const { batch, answers, now } = round;
  const next = new Map(world);
  for (const place of order) {
    const step = batch[place] as Step;
    if (round.rowLocks && answers[place] === "in_flight" && meetsAnother(step, batch)) continue;
    const [right, state] = predict(next.get(step.key) ?? UNKNOWN, step, now);
    if (!right.includes(answers[place] as string)) return [];
    next.set(step.key, state);
  }
  return [next];
}

/** Whether a claim may wait for another verb's lock of the same row, and give up with `in_flight`. */
function meetsAnother(step: Step, batch: readonly Step[]): boolean {
  return step.verb === "claim" && batch.some((other) => other !== step && other.key === step.key);
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((first, place) => permutations(items.toSpliced(place, 1)).map((rest) => [first, ...rest]));
}

/** Distinct worlds only, or they multiply. */
function distinct(worlds: readonly World[]): World[] {
  return [...new Map(worlds.map((world) => [JSON.stringify([...world].sort()), world])).values()];
}

type Ask = (step: Step, place: number) => Promise<string>;

/** Asks a store under keys of this run's own, half of the steps by way of the peer. */
function asking({ store, peer = store, advance }: StoreUnderTest): Ask {
  const run = `model/${randomUUID()}/`;
  return async (step, place) => {
    const by = place % 2 === 0 ? store : peer;
    const key = run + step.key;
    switch (step.verb) {
      case "claim": {
        const found = await by.claim(key, step);
        // Only a clock that stands still leaves one right answer.
        return found.status === "in_flight" && advance ? `in_flight ${found.remainingMs}` : found.status;
      }
      case "renew":
        return String(await by.renew(key, step));
      case "complete":
        return by.complete(key, step);
      case "release":
        return String(await by.release(key, step));
      case "forget":
        return String(await by.forget?.(key));
    }
  };
}

interface Scene {
  /** Time that passes before, in milliseconds. */
  readonly pause: number;
  /** Verbs sent at once. */
  readonly batch: readonly Step[];
}

/** Every pause is a whole multiple of 10 ms and no term is, so nothing ends at the very instant of a verb. */
function scenes({ store, advance }: StoreUnderTest): fc.Arbitrary<Scene[]> {
  const key = fc.constantFrom("a", "b");
  const token = fc.constantFrom("t1", "t2", "t3");
  const leaseMs = advance ? fc.constantFrom(15, 35, 1_005) : fc.constant(600_005);
  const by = { key, token };
  const verbs: fc.Arbitrary<Step>[] = [
    fc.record({ verb: fc.constant("claim"), ...by, leaseMs }),
    fc.record({ verb: fc.constant("claim"), ...by, leaseMs }),
    fc.record({ verb: fc.constant("renew"), ...by, leaseMs }),
    fc.record({ verb: fc.constant("complete"), ...by, retentionMs: fc.constant(600_005) }),
    fc.record({ verb: fc.constant("release"), ...by }),
  ];
  if (store.forget) verbs.push(fc.record({ verb: fc.constant("forget"), ...by }));
  const pause = advance ? fc.constantFrom(0, 0, 10, 20, 40, 1_200_000) : fc.constant(0);
  const batch = fc.array(fc.oneof(...verbs), { minLength: 1, maxLength: 3 });
  return fc.array(fc.record({ pause, batch }), { minLength: 1, maxLength: 30 });
}

async function play(subject: StoreUnderTest, script: readonly Scene[], rowLocks: boolean): Promise<void> {
  const ask = asking(subject);
  let worlds: World[] = [new Map()];
  let now = 0;
  for (const { pause, batch } of script) {
    if (pause > 0) await subject.advance?.(pause);
    now += pause;
    const answers = await Promise.all(batch.map(ask));
    worlds = distinct(explain(worlds, { batch, answers, now, rowLocks }));
    const asked = batch.map((step, place) => `${JSON.stringify(step)} -> ${answers[place]}`).join("\n");
    expect(worlds.length, `no order of these explains their answers, at ${now} ms:\n${asked}`).toBeGreaterThan(0);
  }
}

/**
 * Plays random scripts against stores and against the state machine: verbs of three tokens on two events, up to three of
 * them at once, time passing in between. What is sent at once may take effect in any order, but in one.
 *
 * @param create makes a fresh store for each script; one with `advance` is also tested on the passing of time
 * @param runs how many scripts
 * @param options.rowLocks whether a claim that waits too long for a row's lock is answered `in_flight`, as on a slow PostgreSQL
 */
export async function modelTest(
  create: () => StoreUnderTest | Promise<StoreUnderTest>,
  runs: number,
  { rowLocks = false }: { rowLocks?: boolean } = {},
): Promise<void> {
  const specimen = await create();
  await fc.assert(
    fc.asyncProperty(scenes(specimen), async (script) => {
      const subject = await create();
      try {
        await play(subject, script, rowLocks);
      } finally {
        await subject.dispose?.();
      }
    }),
    { numRuns: runs },
  );
  await specimen.dispose?.();
}
