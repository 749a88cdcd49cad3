import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Fingerprint } from "../../src/stores/fingerprint.ts";
import { Completions } from "../../src/stores/memory-completions.ts";

/** Numbers of which only the last tells keys apart: they all meet in one bucket. */
function colliding(number: number): Fingerprint {
  return { a: 7, b: 0, c: -1, d: number };
}

function spread(number: number): Fingerprint {
  return { a: Math.imul(number, 0x9e3779b1), b: number, c: 0, d: 0 };
}

/** What completions are: a list, the oldest first. */
class PlainList {
  list: { number: number; token: number; endsAt: number }[] = [];

  find(number: number, now: number) {
    this.list = this.list.filter((one) => one.number !== number || one.endsAt > now);
    return this.list.find((one) => one.number === number);
  }

  drop(number: number) {
    this.list = this.list.filter((one) => one.number !== number);
  }

  sweep(now: number) {
    this.list = this.list.filter((one) => one.endsAt > now);
  }
}

const EVENTS = 400;
const number = fc.integer({ min: 1, max: EVENTS });
const token = fc.integer({ min: 1, max: 3 });
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ verb: fc.constant("add"), number, token, retention: fc.constantFrom(5, 40, 90, 1e9) }),
  },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant("drop"), number }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("drop oldest") }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("wait"), ms: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("sweep") }) },
);

type Step = { verb: string; number?: number; token?: number; retention?: number; ms?: number };

/** Completions and a plain list, and verbs for both, which compare what they find. */
function sideBySide(keyOf: (number: number) => Fingerprint) {
  const completions = new Completions();
  const plain = new PlainList();
  let now = 0;

  function find(number: number): number {
    const slot = completions.find(keyOf(number), now);
    const expected = plain.find(number, now);
    expect(slot > 0).toBe(expected !== undefined);
    if (!expected) return slot;
    expect(completions.isBy(slot, spread(expected.token))).toBe(true);
    expect(completions.isBy(slot, spread(expected.token + 1))).toBe(false);
    return slot;
  }

  const verbs: Record<string, (step: Required<Step>) => void> = {
    add({ number, token, retention }) {
      if (find(number) > 0) return;
      completions.add(keyOf(number), spread(token), now, retention);
      plain.list.push({ number, token, endsAt: now + retention });
    },
    drop({ number }) {
      const slot = find(number);
      if (slot > 0) completions.drop(slot);
      plain.drop(number);
    },
    "drop oldest": () => {
      if (completions.size > 0) completions.dropOldest();
      plain.list.shift();
    },
    wait({ ms }) {
      now += ms;
    },
    sweep() {
      completions.sweep(now, EVENTS);
      plain.sweep(now);
    },
  };
  return { completions, plain, find, verbs };
}

/** Plays the steps against both. */
function play(keyOf: (number: number) => Fingerprint, steps: readonly Step[]): void {
  const { completions, plain, find, verbs } = sideBySide(keyOf);
  for (const step of steps) {
    verbs[step.verb]?.(step as Required<Step>);
    expect(completions.size).toBe(plain.list.length);
  }
  for (let event = 1; event <= EVENTS; event += 1) find(event);
}

describe("the completions of a memory store", () => {
  it("are those of a plain list, whatever is added, dropped and swept", () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 1_500, size: "max" }), (steps) => play(spread, steps)));
  });

  it("are those of a plain list where all keys meet in one bucket", () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => play(colliding, steps)));
  });

  it("tell keys apart by each of the four numbers", () => {
    const key = { a: 1, b: 2, c: 3, d: 4 };
    const completions = new Completions();
    completions.add(key, key, 0, 10);
    expect(completions.find(key, 0)).toBeGreaterThan(0);
    for (const other of [{ a: 0 }, { b: 0 }, { c: 0 }, { d: 0 }]) {
      expect(completions.find({ ...key, ...other }, 0)).toBe(0);
    }
  });

  it("know the token by each of the two numbers they keep of it", () => {
    const key = { a: 1, b: 2, c: 3, d: 4 };
    const completions = new Completions();
    completions.add(key, key, 0, 10);
    const slot = completions.find(key, 0);
    expect(completions.isBy(slot, key)).toBe(true);
    expect(completions.isBy(slot, { ...key, a: 0 })).toBe(false);
    expect(completions.isBy(slot, { ...key, b: 0 })).toBe(false);
  });

  it("take no more memory for 10,000 that come and go than for the few there are at a time", () => {
    const completions = new Completions();
    const slots = new Set<number>();
    for (let event = 1; event <= 10_000; event += 1) {
      completions.add(spread(event), spread(1), 0, 10);
      slots.add(completions.find(spread(event), 0));
      if (completions.size === 3) completions.dropOldest();
    }
    expect(slots.size).toBe(3);
  });

  it("sweep first what ends first, whatever the order of arrival and the retention", () => {
    const retention = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(fc.array(fc.tuple(retention, fc.nat({ max: 5 })), { maxLength: 100 }), (arrivals) => {
        const completions = new Completions();
        const ends: number[] = [];
        let now = -1_000;
        for (const [place, [retentionMs, pause]] of arrivals.entries()) {
          completions.add(spread(place + 1), spread(1), now, retentionMs);
          ends.push(now + retentionMs);
          now += pause;
        }
        for (let last = Math.min(...ends); completions.size > 0; last += 1) {
          completions.sweep(last, EVENTS);
          expect(completions.size).toBe(ends.filter((end) => end > last).length);
        }
      }),
    );
  });

  it("are all found while they grow to 20,000, and while they go and come again", () => {
    const completions = new Completions();
    const count = 20_000;
    const lost = (from: number, to: number) => {
      let missing = 0;
      for (let event = from; event <= to; event += 1) if (completions.find(spread(event), 0) === 0) missing += 1;
      return missing;
    };
    for (let event = 1; event <= count; event += 1) {
      completions.add(spread(event), spread(event), 0, 10);
      // At each doubling of the table and the steps around it.
      if (event % 1_024 < 2) expect(lost(1, event)).toBe(0);
    }
    for (let event = count + 1; event <= 3 * count; event += 1) {
      completions.dropOldest();
      completions.add(spread(event), spread(event), 0, 10);
    }
    expect(lost(1, 2 * count)).toBe(2 * count);
    expect(lost(2 * count + 1, 3 * count)).toBe(0);
    completions.sweep(10, 3 * count);
    expect(completions.size).toBe(0);
    expect(lost(1, 3 * count)).toBe(3 * count);
  });
});
