import { afterEach, describe, expect, it } from "vitest";
import { Clock } from "../../src/sandbox/clock.ts";
import { randomFrom } from "../../src/sandbox/random.ts";

const START = 1_700_000_000_000;

describe("the sandbox's clock", () => {
  let clock: Clock;
  afterEach(() => clock.stop());

  it("runs 10,000 appointments in the order of their times", () => {
    clock = new Clock(START, 0);
    const random = randomFrom(7);
    const asked = Array.from({ length: 10_000 }, (_, place) => ({ at: START + Math.floor(random() * 1_000), place }));
    const ran: typeof asked = [];
    for (const appointment of asked) clock.at(appointment.at, () => ran.push(appointment));
    clock.putForward(START + 1_000);
    expect(ran).toEqual(asked.toSorted((one, other) => one.at - other.at || one.place - other.place));
  });

  it("runs only what is due", () => {
    clock = new Clock(START, 0);
    const ran: number[] = [];
    for (const at of [START + 3, START + 1, START + 2]) clock.at(at, () => ran.push(at));
    clock.putForward(START + 2);
    expect(ran).toEqual([START + 1, START + 2]);
    expect(clock.next()).toBe(START + 3);
  });

  it("runs an appointment that another one makes for the same time", () => {
    clock = new Clock(START, 0);
    const ran: string[] = [];
    clock.at(START, () => {
      ran.push("first");
      clock.at(START, () => ran.push("second"));
    });
    clock.putForward(START);
    expect(ran).toEqual(["first", "second"]);
  });

  it("runs an appointment by its timer, at its speed", async () => {
    clock = new Clock(START, 1_000);
    const shown = await new Promise<number>((resolve) => clock.at(START + 10_000, () => resolve(clock.now())));
    expect(shown).toBeGreaterThanOrEqual(START + 10_000);
  });

  it("runs nothing after it was stopped", () => {
    clock = new Clock(START, 0);
    clock.at(START, () => expect.unreachable());
    clock.stop();
    clock.putForward(START + 1);
    expect(clock.next()).toBeUndefined();
  });
});
