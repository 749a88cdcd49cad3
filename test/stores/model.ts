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

type Step =
  | { verb: "claim" | "renew"; key: string; token: string; leaseMs: number }
  | { verb: "complete"; key: string; token: string; retentionMs: number }
  | { verb: "release"; key: string; token: string }
  | { verb: "forget"; key: string };

interface Prediction {
  readonly answers: readonly string[];
  readonly next: State;
}

const UNKNOWN: State = { kind: "unknown" };

function predict(state: State, step: Step, now: number): Prediction {
  const over = state.kind !== "unknown" && state.until <= now;
  const current = over ? UNKNOWN : state;
  if (step.verb === "forget") return { answers: [String(current.kind !== "unknown")], next: UNKNOWN };
  const mine = current.kind !== "unknown" && current.token === step.token;
  switch (step.verb) {
    case "claim":
      if (current.kind === "done") return { answers: ["completed"], next: current };
      if (current.kind === "live" && !mine)
        return { answers: ["in_flight", `in_flight ${current.until - now}`], next: current };
      return { answers: ["claimed"], next: { kind: "live", token: step.token, until: now + step.leaseMs } };
    case "renew":
      if (current.kind !== "live" || !mine) return { answers: ["false"], next: current };
      return { answers: ["true"], next: { ...current, until: now + step.leaseMs } };
    case "complete":
      if (current.kind === "live" && !mine) return { answers: ["held_by_another"], next: current };
      if (current.kind === "done" && !mine) return { answers: ["completed_by_another"], next: current };
      // Whether a repetition prolongs the retention is left open: no script looks between the two ends.
      return { answers: ["stored"], next: { kind: "done", token: step.token, until: now + step.retentionMs } };
    case "release":
      if (current.kind === "live" && mine) return { answers: ["true"], next: UNKNOWN };
      // A store may or may not know of a lapsed claim any more.
      if (over && state.kind === "live" && state.token === step.token)
        return { answers: ["false", "true"], next: UNKNOWN };
      return { answers: ["false"], next: current };
  }
}

type World = ReadonlyMap<string, State>;

/** The worlds that explain what a batch of concurrent verbs was answered: those of every order that fits. */
function explain(worlds: readonly World[], batch: readonly Step[], answers: readonly string[], now: number): World[] {
  const orders = permutations(batch.map((_, place) => place));
  return worlds.flatMap((world) => orders.flatMap((order) => replay(world, order, batch, answers, now)));
}

function replay(
  world: World,
  order: readonly number[],
  batch: readonly Step[],
  answers: readonly string[],
  now: number,
): World[] {
  const next = new Map(world);
  for (const place of order) {
    const step = batch[place] as Step;
    const prediction = predict(next.get(step.key) ?? UNKNOWN, step, now);
    if (!prediction.answers.includes(answers[place] as string)) return [];
    next.set(step.key, prediction.next);
  }
  return [next];
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
  if (store.forget) verbs.push(fc.record({ verb: fc.constant("forget"), key }));
  const pause = advance ? fc.constantFrom(0, 0, 10, 20, 40, 1_200_000) : fc.constant(0);
  const batch = fc.array(fc.oneof(...verbs), { minLength: 1, maxLength: 3 });
  return fc.array(fc.record({ pause, batch }), { minLength: 1, maxLength: 30 });
}

async function play(subject: StoreUnderTest, script: readonly Scene[]): Promise<void> {
  const ask = asking(subject);
  let worlds: World[] = [new Map()];
  let now = 0;
  for (const { pause, batch } of script) {
    if (pause > 0) await subject.advance?.(pause);
    now += pause;
    const answers = await Promise.all(batch.map(ask));
    worlds = distinct(explain(worlds, batch, answers, now));
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
 */
export async function modelTest(create: () => StoreUnderTest | Promise<StoreUnderTest>, runs: number): Promise<void> {
  const specimen = await create();
  await fc.assert(
    fc.asyncProperty(scenes(specimen), async (script) => {
      const subject = await create();
      try {
        await play(subject, script);
      } finally {
        await subject.dispose?.();
      }
    }),
    { numRuns: runs },
  );
  await specimen.dispose?.();
}
