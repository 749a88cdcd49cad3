import { describe, expect, it } from "vitest";
import { throttledLog } from "../../src/pipeline/log.ts";
import { manualClock } from "../stores/clock.ts";

function logging() {
  const written: unknown[][] = [];
  const clock = manualClock();
  const logger = {
    warn: (...args: unknown[]) => void written.push(["warn", ...args]),
    error: (...args: unknown[]) => void written.push(["error", ...args]),
  };
  return { log: throttledLog(logger, clock.now), written, clock };
}

describe("the throttled log", () => {
  it("writes one line a minute for each topic", () => {
    const { log, written, clock } = logging();
    log.warn("a", "first");
    log.error("b", "other");
    clock.advance(59_999);
    log.warn("a", "second");
    expect(written).toEqual([
      ["warn", "bluum-webhooks: first"],
      ["error", "bluum-webhooks: other"],
    ]);
    clock.advance(1);
    log.warn("a", "third");
    expect(written.at(-1)).toEqual(["warn", "bluum-webhooks: third (and 1 more since the last such line)"]);
    clock.advance(60_000);
    log.warn("a", "fourth");
    expect(written.at(-1)).toEqual(["warn", "bluum-webhooks: fourth"]);
  });

  it("counts a topic whether it warned or failed", () => {
    const { log, written } = logging();
    log.warn("a", "first");
    log.error("a", "second");
    expect(written).toHaveLength(1);
  });

  it("says some things only once", () => {
    const { log, written, clock } = logging();
    log.once("a", "hello");
    clock.advance(10 * 60_000);
    log.once("a", "hello");
    expect(written).toEqual([["warn", "bluum-webhooks: hello"]]);
  });

  it("falls silent before a flood of things to say once fills the memory", () => {
    const { log, written } = logging();
    for (let n = 0; n < 2_000; n++) log.once(`type ${n}`, "unhandled");
    expect(written).toHaveLength(1_000);
  });

  it("builds a message only when it is written", () => {
    const { log } = logging();
    let built = 0;
    const message = () => `built ${++built}`;
    log.warn("a", message);
    log.warn("a", message);
    expect(built).toBe(1);
  });

  it("hands an error on, and no second argument without one", () => {
    const { log, written } = logging();
    const error = new Error("underneath");
    log.error("a", "failed", error);
    log.error("b", "failed", null);
    log.error("c", "failed");
    expect(written.map((line) => line.slice(2))).toEqual([[error], [null], []]);
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
    log.once("a", "x");
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
