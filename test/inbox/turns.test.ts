import { expect, it } from "vitest";
import { Turns } from "../../src/inbox/turns.ts";

/** Starts runs, and tells which have their turn. */
function starter() {
  const turns = new Turns();
  const started: string[] = [];
  return {
    started,
    leave: async () => {
      turns.leave();
      await Promise.resolve();
    },
    enter: (name: string, alone = false) => {
      const turn = turns.enter(alone);
      if (turn === undefined) started.push(name);
      else turn.then(() => started.push(name));
    },
  };
}

it("runs go on side by side", () => {
  const { enter, started } = starter();
  for (const name of ["a", "b", "c"]) enter(name);
  expect(started).toEqual(["a", "b", "c"]);
});

it("one that must be alone waits for all before it, and all after it wait for it", async () => {
  const { enter, leave, started } = starter();
  enter("a");
  enter("b");
  enter("alone", true);
  enter("c");
  enter("d");
  await leave();
  expect(started).toEqual(["a", "b"]);
  await leave();
  expect(started).toEqual(["a", "b", "alone"]);
  await leave();
  expect(started).toEqual(["a", "b", "alone", "c", "d"]);
});

it("of two that must be alone, one runs after the other", async () => {
  const { enter, leave, started } = starter();
  enter("one", true);
  enter("other", true);
  enter("c");
  expect(started).toEqual(["one"]);
  await leave();
  expect(started).toEqual(["one", "other"]);
  await leave();
  expect(started).toEqual(["one", "other", "c"]);
});
