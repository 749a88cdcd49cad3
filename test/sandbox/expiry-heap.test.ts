import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Ending, ExpiryHeap } from "../../src/sandbox/expiry-heap.ts";

const change = fc.record({
  verb: fc.constantFrom("add", "add", "add", "move", "remove"),
  pick: fc.nat(),
  endsAt: fc.integer({ min: 0, max: 50 }),
});

/** Plays the changes against a heap and a plain list, and compares what ends first after each. */
function play(changes: readonly { verb: string; pick: number; endsAt: number }[]): [ExpiryHeap<Ending>, Ending[]] {
  const heap = new ExpiryHeap<Ending>();
  const held: Ending[] = [];
  for (const { verb, pick, endsAt } of changes) {
    const item = held[pick % held.length];
    if (verb === "add" || item === undefined) {
      const added = { endsAt, place: 0 };
      heap.add(added);
      held.push(added);
    } else if (verb === "move") {
      item.endsAt = endsAt;
      heap.move(item);
    } else {
      heap.remove(item);
      held.splice(held.indexOf(item), 1);
    }
    expect(heap.first()?.endsAt ?? Infinity).toBe(Math.min(...held.map((one) => one.endsAt)));
  }
  return [heap, held];
}

describe("the expiry heap", () => {
  it("always has at hand what ends first, whatever was added, moved and removed", () => {
    fc.assert(fc.property(fc.array(change, { maxLength: 200 }), (changes) => void play(changes)));
  });

  it("gives everything up in the order of its end", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const [heap, held] = play(changes);
        const drained: number[] = [];
        for (let first = heap.first(); first; first = heap.first()) {
          drained.push(first.endsAt);
          heap.remove(first);
        }
        expect(drained).toEqual(held.map((one) => one.endsAt).sort((one, other) => one - other));
      }),
    );
  });
});
