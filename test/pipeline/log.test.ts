import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { throttledLog } from "../../src/pipeline/log.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

function logging() {
  const written: unknown[][] = [];
  const logger = {
    warn: (...args: unknown[]) => void written.push(["warn", ...args]),
    error: (...args: unknown[]) => void written.push(["error", ...args]),
  };
  return { log: throttledLog(logger), written };
}

describe("the throttled log", () => {
  it("writes one warning a minute for each topic, and counts the rest", () => {
    const { log, written } = logging();
    log.warn("a", "first");
    log.error("b", "other");
    vi.advanceTimersByTime(59_999);
    log.warn("a", "second");
    log.warn("a", "third");
    expect(written.splice(0)).toEqual([
      ["warn", "bluum-webhooks: first"],
      ["error", "bluum-webhooks: other"],
    ]);
    vi.advanceTimersByTime(1);
    expect(written.splice(0)).toEqual([["warn", "bluum-webhooks: a: and 2 more within a minute"]]);
    log.warn("a", "fourth");
    expect(written.splice(0)).toEqual([["warn", "bluum-webhooks: fourth"]]);
    vi.advanceTimersByTime(120_000);
    expect(written).toEqual([]);
  });

  it("writes ten failures a minute for each topic, and counts the rest", () => {
    const { log, written } = logging();
    for (let n = 1; n <= 25; n++) log.failure("a", `failure ${n}`);
    log.failure("b", "another handler's");
    expect(written.map(([, line]) => line)).toEqual([
      ...Array.from({ length: 10 }, (_, n) => `bluum-webhooks: failure ${n + 1}`),
      "bluum-webhooks: another handler's",
    ]);
    vi.advanceTimersByTime(60_000);
    expect(written.slice(11)).toEqual([["error", "bluum-webhooks: a: and 15 more within a minute"]]);
  });

  it("writes the count before the next line when the timer was lost", () => {
    const { log, written } = logging();
    for (let n = 0; n < 4; n++) log.warn("a", "flood");
    vi.clearAllTimers();
    vi.advanceTimersByTime(60_000);
    log.warn("a", "later");
    expect(written.slice(1)).toEqual([
      ["warn", "bluum-webhooks: a: and 3 more within a minute"],
      ["warn", "bluum-webhooks: later"],
    ]);
  });

  it("writes the count once when it is flushed", () => {
    const { log, written } = logging();
    for (let n = 0; n < 4; n++) log.warn("a", "flood");
    log.flush();
    log.flush();
    vi.advanceTimersByTime(60_000);
    expect(written.slice(1)).toEqual([["warn", "bluum-webhooks: a: and 3 more within a minute"]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("sets no timer until it leaves a line out", () => {
    const { log } = logging();
    log.warn("a", "first");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("counts warnings and failures of a topic together", () => {
    const { log, written } = logging();
    log.warn("a", "first");
    log.error("a", "second");
    expect(written).toHaveLength(1);
  });

  it("writes some lines only once", () => {
    const { log, written } = logging();
    log.once("a", "hello");
    vi.advanceTimersByTime(10 * 60_000);
    log.once("a", "hello");
    expect(written).toEqual([["warn", "bluum-webhooks: hello"]]);
  });

  it("limits the number of lines that it writes once", () => {
    const { log, written } = logging();
    for (let n = 0; n < 2_000; n++) log.once(`type ${n}`, "unhandled");
    expect(written).toHaveLength(1_000);
  });

  it("keeps at most a thousand topics, and one for all others", () => {
    const { log, written } = logging();
    for (let n = 0; n < 2_000; n++) log.failure(`type ${n}`, "failed");
    expect(written).toHaveLength(1_000 + 10);
    vi.advanceTimersByTime(60_000);
    expect(written.splice(0).at(-1)).toEqual(["error", "bluum-webhooks: other topics: and 990 more within a minute"]);
    for (let n = 0; n < 900; n++) log.failure(`later type ${n}`, "failed");
    expect(written).toHaveLength(900);
  });

  it("builds a message only when it is written", () => {
    const { log } = logging();
    let built = 0;
    const message = () => `built ${++built}`;
    log.warn("a", message);
    log.warn("a", message);
    expect(built).toBe(1);
  });

  it("passes an error on, and no second argument without one", () => {
    const { log, written } = logging();
    const error = new Error("underneath");
    log.error("a", "failed", error);
    log.error("b", "failed");
    expect(written.map((line) => line.slice(2))).toEqual([[error], []]);
  });

  it("writes a thrown text into the line", () => {
    const { log, written } = logging();
    const values = ["boom", null, 7, Symbol("s")];
    for (const [n, value] of values.entries()) log.error(`${n}`, "failed", value);
    expect(written).toEqual(
      ["boom", "null", "7", "Symbol(s)"].map((text) => ["error", `bluum-webhooks: failed: ${text}`]),
    );
  });

  it("calls the logger's methods on the logger", () => {
    class Counting {
      lines = 0;
      warn() {
        this.lines++;
      }
      error() {}
    }
    const logger = new Counting();
    throttledLog(logger).warn("a", "x");
    expect(logger.lines).toBe(1);
  });

  it("can be turned off", () => {
    const log = throttledLog(false);
    log.warn("a", () => {
      throw new Error("nobody builds this");
    });
    log.error("a", "x");
    log.failure("a", "x");
    log.once("a", "x");
    log.flush();
  });

  it("survives a logger that throws or rejects, and a message that cannot be built", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    const throwing = () => {
      throw new Error("disk full");
    };
    const rejecting = async () => throwing();
    for (const warn of [throwing, rejecting]) {
      const log = throttledLog({ warn, error: warn });
      log.warn("a", "x");
      log.error("b", throwing);
      log.once("c", "x");
    }
    await new Promise(setImmediate);
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });
});
