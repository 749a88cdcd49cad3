import { describe, expect, it, vi } from "vitest";
import { type InboxUnderTest, inboxContract } from "../../src/testing/inbox-contract.ts";
import { broken, brokenInboxes } from "./broken-inboxes.ts";

/** How long a case waits for what a broken inbox never does. */
const PATIENCE_MS = 700;

const STORED = "a message is stored once add has resolved, for every connection";

function caseNamed(name: string, create: () => InboxUnderTest | Promise<InboxUnderTest>) {
  const found = inboxContract(create).find((one) => one.name === name);
  if (found === undefined) throw new Error(`no case is named ${name}`);
  return found;
}

/** Whether a case measures time, and must not share the processor with others. */
function measures({ name }: { readonly name: string }): boolean {
  return name === "a message that failed pauses before its next attempt";
}

describe("the inbox contract passes a plain inbox:", () => {
  for (const { name, run, timeoutMs } of inboxContract(() => broken())) it.concurrent(name, run, timeoutMs);
});

describe("the inbox contract finds an inbox that", () => {
  const found = brokenInboxes.flatMap(([what, breakIt, foundBy]) => foundBy.map((name) => ({ what, breakIt, name })));

  const [measured, others] = [found.filter(measures), found.filter((each) => !measures(each))];
  const finds = async ({ breakIt, name }: (typeof found)[number]) => {
    const subject = { ...broken(breakIt), patienceMs: PATIENCE_MS };
    await expect(caseNamed(name, () => subject).run()).rejects.toThrow();
  };

  it.concurrent.each(others)("$what: $name", { timeout: 30_000 }, finds);
  it.each(measured)("$what: $name", { timeout: 30_000 }, finds);

  it("stores messages for its own process only", async () => {
    const alone = () => ({ ...broken(), peer: broken().inbox });
    await expect(caseNamed(STORED, alone).run()).rejects.toThrow("messages that the peer sees waiting");
  });

  it("keeps no order and does not say so", async () => {
    const unordered = () => ({ ...broken(), keeps: { order: false } });
    const { run } = caseNamed("an inbox says why it keeps no order, or keeps it", unordered);
    await expect(run()).rejects.toThrow("noOrder says why there is no order");
  });

  it("stores U+0000 although it says that it cannot", async () => {
    const careless = () => ({ ...broken(), keeps: { order: true, nul: false } });
    const { run } = caseNamed("U+0000 is kept, or refused if the inbox says that it cannot keep it", careless);
    await expect(run()).rejects.toThrow('expected "refused", got "added"');
  });

  it("breaks each of its cases: none is without a broken inbox", () => {
    const named = new Set(brokenInboxes.flatMap(([, , foundBy]) => foundBy));
    const unproven = inboxContract(() => broken()).filter(({ name }) => !named.has(name));
    expect(unproven.map(({ name }) => name)).toEqual([]);
  });
});

describe("a case of the inbox contract", () => {
  it("has a name of its own and a time limit", () => {
    const cases = inboxContract(() => broken());
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    for (const { timeoutMs } of cases) expect(timeoutMs).toBeGreaterThanOrEqual(60_000);
  });

  it("makes an inbox for itself, and disposes of it once, after a failure too", async () => {
    const dispose = vi.fn();
    const create = vi.fn(async () => ({ ...broken(), dispose }));
    await caseNamed(STORED, create).run();
    expect(create).toHaveBeenCalledTimes(1);
    expect(dispose).toHaveBeenCalledTimes(1);
    const down = () => ({ ...broken(() => ({ add: () => Promise.reject(new Error("down")) })), dispose });
    await expect(caseNamed(STORED, down).run()).rejects.toThrow("down");
    expect(dispose).toHaveBeenCalledTimes(2);
  });

  it("reports the failed statement rather than a failed clean-up", async () => {
    const dispose = () => {
      throw new Error("cannot clean up");
    };
    const down = () => ({ ...broken(() => ({ add: () => Promise.reject(new Error("down")) })), dispose });
    await expect(caseNamed(STORED, down).run()).rejects.toThrow("down");
    await expect(caseNamed(STORED, () => ({ ...broken(), dispose })).run()).rejects.toThrow("cannot clean up");
  });

  it("moves a clock that does not run by itself", async () => {
    const advance = vi.fn();
    await caseNamed("a message that was processed is a duplicate", () => ({ ...broken(), advance })).run();
    expect(advance).toHaveBeenCalledWith(expect.any(Number));
  });

  it.each([
    [{ attempts: 2, backoffMs: 100, maxBackoffMs: 500 }, "retry.attempts is 3 to 10"],
    [{ attempts: 3, backoffMs: 5_000, maxBackoffMs: 5_000 }, "retry.backoffMs is 100 to 1_000"],
  ])("refuses retries that it cannot wait for: %j", async (retry, why) => {
    await expect(caseNamed(STORED, () => ({ ...broken(), retry })).run()).rejects.toThrow(why);
  });
});
