import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Fingerprint } from "../../src/stores/fingerprint.ts";
import { type Grant, Records } from "../../src/stores/memory-records.ts";

/** Numbers of which only the last tells keys apart: they all meet in one bucket. */
function colliding(number: number): Fingerprint {
  return { a: 7, b: 0, c: -1, d: number };
}

function spread(number: number): Fingerprint {
  return { a: Math.imul(number, 0x9e3779b1), b: number, c: 0, d: 0 };
}

interface PlainRecord {
  readonly number: number;
  readonly token: number;
  claimed: boolean;
  endsAt: number;
}

/** What records are: a list of claims, and one of completions, the oldest first. */
class PlainList {
  claims: PlainRecord[] = [];
  completions: PlainRecord[] = [];

  find(number: number, now: number): PlainRecord | undefined {
    this.#keep((one) => one.number !== number || one.endsAt > now);
    return [...this.claims, ...this.completions].find((one) => one.number === number);
  }

  add(record: PlainRecord): void {
    (record.claimed ? this.claims : this.completions).push(record);
  }

  drop(number: number): void {
    this.#keep((one) => one.number !== number);
  }

  sweep(now: number): void {
    this.#keep((one) => one.endsAt > now);
  }

  #keep(keeps: (one: PlainRecord) => boolean): void {
    this.claims = this.claims.filter(keeps);
    this.completions = this.completions.filter(keeps);
  }
}

const EVENTS = 400;
/** So few that the table has to grow. */
const EXPECTED = 16;
const number = fc.integer({ min: 1, max: EVENTS });
const token = fc.integer({ min: 1, max: 3 });
const termMs = fc.constantFrom(5, 40, 90, 1e9, 7, 11, 13, 17, 19, 23, 29, 31);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ verb: fc.constant("claim"), number, token, termMs }) },
  { weight: 4, arbitrary: fc.record({ verb: fc.constant("add completed"), number, token, termMs }) },
  { weight: 3, arbitrary: fc.record({ verb: fc.constant("complete"), number, termMs }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant("extend"), number, termMs }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant("drop"), number }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("drop oldest") }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("wait"), ms: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("sweep") }) },
);

type Step = { verb: string; number?: number; token?: number; termMs?: number; ms?: number };

/** Records and plain lists, and verbs for both, which compare what they find. */
function sideBySide(keyOf: (number: number) => Fingerprint) {
  const records = new Records(EXPECTED);
  const plain = new PlainList();
  const grants = new Map<number, Grant>();
  let now = 0;

  function find(number: number): { slot: number; expected: PlainRecord | undefined } {
    const slot = records.find(keyOf(number), now);
    const expected = plain.find(number, now);
    expect(slot > 0).toBe(expected !== undefined);
    const grant = grants.get(number);
    if (grant !== undefined) expect(records.stands(grant)).toBe(expected?.claimed === true);
    if (expected === undefined) return { slot, expected };
    expect(records.isClaimed(slot)).toBe(expected.claimed);
    expect(records.endsAt(slot)).toBe(expected.endsAt);
    expect(records.isBy(slot, spread(expected.token))).toBe(true);
    expect(records.isBy(slot, spread(expected.token + 1))).toBe(false);
    return { slot, expected };
  }

  const verbs: Record<string, (step: Required<Step>) => void> = {
    claim({ number, token, termMs }) {
      if (find(number).expected) return;
      grants.set(number, records.claim(keyOf(number), spread(token), now, termMs));
      plain.add({ number, token, claimed: true, endsAt: now + termMs });
    },
    "add completed": ({ number, token, termMs }) => {
      if (find(number).expected) return;
      records.addCompleted(keyOf(number), spread(token), now, termMs);
      plain.add({ number, token, claimed: false, endsAt: now + termMs });
    },
    complete({ number, termMs }) {
      const { slot, expected } = find(number);
      if (!expected?.claimed) return;
      records.complete(slot, now, termMs);
      plain.drop(number);
      plain.add({ ...expected, claimed: false, endsAt: now + termMs });
    },
    extend({ number, termMs }) {
      const { slot, expected } = find(number);
      if (!expected?.claimed) return;
      records.extend(slot, now, termMs);
      expected.endsAt = now + termMs;
    },
    drop({ number }) {
      const { slot } = find(number);
      if (slot > 0) records.drop(slot);
      plain.drop(number);
    },
    "drop oldest": () => {
      if (records.completions > 0) records.dropOldest();
      plain.completions.shift();
    },
    wait({ ms }) {
      now += ms;
    },
    sweep() {
      records.sweep(now, EVENTS);
      plain.sweep(now);
    },
  };
  return { records, plain, find, verbs };
}

/** Plays the steps against both. */
function play(keyOf: (number: number) => Fingerprint, steps: readonly Step[]): void {
  const { records, plain, find, verbs } = sideBySide(keyOf);
  for (const step of steps) {
    verbs[step.verb]?.(step as Required<Step>);
    expect([records.claims, records.completions]).toEqual([plain.claims.length, plain.completions.length]);
  }
  for (let event = 1; event <= EVENTS; event += 1) find(event);
}

describe("the records of a memory store", () => {
  it("are those of plain lists, whatever is claimed, completed, dropped and swept", () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 1_500, size: "max" }), (steps) => play(spread, steps)));
  });

  it("are those of plain lists where all keys meet in one bucket", () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => play(colliding, steps)));
  });

  it("tell keys apart by each of the four numbers", () => {
    const key = { a: 1, b: 2, c: 3, d: 4 };
    const records = new Records(EXPECTED);
    records.addCompleted(key, key, 0, 10);
    expect(records.find(key, 0)).toBeGreaterThan(0);
    for (const other of [{ a: 0 }, { b: 0 }, { c: 0 }, { d: 0 }]) {
      expect(records.find({ ...key, ...other }, 0)).toBe(0);
    }
  });

  it("know the token by each of the two numbers they keep of it", () => {
    const key = { a: 1, b: 2, c: 3, d: 4 };
    const records = new Records(EXPECTED);
    records.addCompleted(key, key, 0, 10);
    const slot = records.find(key, 0);
    expect(records.isBy(slot, key)).toBe(true);
    expect(records.isBy(slot, { ...key, a: 0 })).toBe(false);
    expect(records.isBy(slot, { ...key, b: 0 })).toBe(false);
  });

  it("do not take a claim for the one that had its slot before", () => {
    const records = new Records(EXPECTED);
    const first = records.claim(spread(1), spread(1), 0, 10);
    records.drop(first.slot);
    expect(records.stands(first)).toBe(false);
    const second = records.claim(spread(2), spread(1), 0, 10);
    expect(second.slot).toBe(first.slot);
    expect(records.stands(first)).toBe(false);
    expect(records.stands(second)).toBe(true);
  });

  it("do not take a claim on other records, such as those before the store was closed, for their own", () => {
    const [before, records] = [new Records(EXPECTED), new Records(EXPECTED)];
    const grants = Array.from({ length: 200 }, (_, event) => before.claim(spread(event), spread(1), 0, 10));
    for (let event = 0; event < 100; event += 1) records.claim(spread(event), spread(1), 0, 10);
    expect(grants.some((grant) => records.stands(grant))).toBe(false);
  });

  it("take no more memory for 10,000 that come and go than for the few there are at a time", () => {
    const records = new Records(EXPECTED);
    const slots = new Set<number>();
    for (let event = 1; event <= 10_000; event += 1) {
      records.addCompleted(spread(event), spread(1), 0, 10);
      slots.add(records.find(spread(event), 0));
      if (records.completions === 3) records.dropOldest();
    }
    expect(slots.size).toBe(3);
  });

  it("sweep first what ends first, whatever the order of arrival and the term", () => {
    const termMs = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(fc.array(fc.tuple(termMs, fc.nat({ max: 5 })), { maxLength: 100 }), (arrivals) => {
        const records = new Records(EXPECTED);
        const ends: number[] = [];
        let now = -1_000;
        for (const [place, [termMs, pause]] of arrivals.entries()) {
          records.addCompleted(spread(place + 1), spread(1), now, termMs);
          ends.push(now + termMs);
          now += pause;
        }
        for (let last = Math.min(...ends); records.completions > 0; last += 1) {
          records.sweep(last, EVENTS);
          expect(records.completions).toBe(ends.filter((end) => end > last).length);
        }
      }),
    );
  });

  it.each([1, EXPECTED, 100_000])(
    "are all found while they grow to 20,000, and go and come again, %i expected",
    (expected) => {
      const records = new Records(expected);
      const count = 20_000;
      const lost = (from: number, to: number) => {
        let missing = 0;
        for (let event = from; event <= to; event += 1) if (records.find(spread(event), 0) === 0) missing += 1;
        return missing;
      };
      for (let event = 1; event <= count; event += 1) {
        records.addCompleted(spread(event), spread(event), 0, 10);
        // At each doubling of the table and the steps around it.
        if (event % 1_024 < 2) expect(lost(1, event)).toBe(0);
      }
      for (let event = count + 1; event <= 3 * count; event += 1) {
        records.dropOldest();
        records.addCompleted(spread(event), spread(event), 0, 10);
      }
      expect(lost(1, 2 * count)).toBe(2 * count);
      expect(lost(2 * count + 1, 3 * count)).toBe(0);
      records.sweep(10, 3 * count);
      expect(records.completions).toBe(0);
      expect(lost(1, 3 * count)).toBe(3 * count);
    },
  );
});
