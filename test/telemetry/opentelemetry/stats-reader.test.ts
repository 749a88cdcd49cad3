import { describe, expect, it, vi } from "vitest";
import { StatsReader } from "../../../src/telemetry/opentelemetry/stats-reader.ts";
import type { InboxCounts } from "../../../src/telemetry/telemetry.ts";
import { gate } from "../../pipeline/receiving.ts";

const COUNTS: InboxCounts = { waiting: 1, delayed: 2, active: 3, parked: 4, oldestWaitingMs: 5_000 };

function reading(stats: () => Promise<InboxCounts>, waitMs?: number) {
  const clock = { ms: 1_000 };
  const asked = vi.fn(stats);
  return { clock, asked, reader: new StatsReader({ name: "list", stats: asked }, () => clock.ms, waitMs) };
}

describe("the stats of an inbox", () => {
  it("are asked for at most every 15 s", async () => {
    const { clock, asked, reader } = reading(async () => COUNTS);
    expect(await reader.read()).toEqual(COUNTS);
    clock.ms += 14_999;
    expect(await reader.read()).toEqual(COUNTS);
    expect(asked).toHaveBeenCalledTimes(1);
    clock.ms += 1;
    expect(await reader.read()).toEqual(COUNTS);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("are asked for by one call at a time, however long it takes", async () => {
    const answer = gate<InboxCounts>();
    const { clock, asked, reader } = reading(() => answer.passed);
    const first = reader.read();
    clock.ms += 60_000;
    const second = reader.read();
    expect(asked).toHaveBeenCalledTimes(1);
    answer.open(COUNTS);
    expect(await Promise.all([first, second])).toEqual([COUNTS, COUNTS]);
  });

  it("are unknown while the inbox does not answer, and known again once it does", async () => {
    const answer = gate<InboxCounts>();
    const { clock, asked, reader } = reading(() => answer.passed, 1);
    expect(await reader.read()).toBeUndefined();
    answer.open(COUNTS);
    await answer.passed;
    clock.ms += 15_000;
    await vi.waitFor(async () => expect(await reader.read()).toEqual(COUNTS));
    expect(asked.mock.calls.length).toBeLessThanOrEqual(2);
  });

  it("are unknown for 15 s after a failure", async () => {
    let failing = true;
    const { clock, asked, reader } = reading(() =>
      failing ? Promise.reject(new Error("down")) : Promise.resolve(COUNTS),
    );
    expect(await reader.read()).toBeUndefined();
    failing = false;
    expect(await reader.read()).toBeUndefined();
    expect(asked).toHaveBeenCalledTimes(1);
    clock.ms += 15_000;
    expect(await reader.read()).toEqual(COUNTS);
  });

  it("are unknown if the inbox throws at once", async () => {
    const { reader } = reading(() => {
      throw new Error("broken");
    });
    expect(await reader.read()).toBeUndefined();
  });
});
