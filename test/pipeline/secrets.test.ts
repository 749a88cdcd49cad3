import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BodyLimits, Secrets } from "../../src/index.ts";
import { keySource } from "../../src/pipeline/secrets.ts";
import { hmacSignature } from "../../src/schemes/hmac.ts";
import { timestampedSignature } from "../../src/schemes/timestamped.ts";
import { anEvent, bench, gate, SECRET, signed, verdict } from "./receiving.ts";

const OLD = "the-secret-of-yesterday";
const NEW = "the-secret-of-tomorrow";

describe("several secrets", () => {
  it("are all tried, and the index of the matching one is reported", async () => {
    const { receiver, reports } = bench({ secret: [NEW, OLD] });
    for (const [index, secret] of [NEW, OLD].entries()) {
      expect(await receiver.receive(signed(anEvent(), { secret }))).toMatchObject({ context: { secretIndex: index } });
    }
    expect(verdict(await receiver.receive(signed(anEvent(), { secret: SECRET })))).toBe("signature_mismatch");
    expect(reports).toMatchObject([{ code: "signature_mismatch" }]);
    expect(reports[0]).not.toHaveProperty("secretIndex");
  });

  it("are counted by their index in the function's answer", async () => {
    const { receiver } = bench({ secret: async () => [NEW, OLD] });
    const outcome = await receiver.receive(signed(anEvent(), { secret: OLD }));
    expect(outcome).toMatchObject({ context: { secretIndex: 1 } });
  });
});

describe("a secret function", () => {
  it.each<[string, () => Secrets | Promise<Secrets>]>([
    ["a string", () => SECRET],
    ["a list", () => [SECRET]],
    ["a promise of a string", async () => SECRET],
    ["a promise of a list", async () => [OLD, SECRET]],
  ])("may return %s", async (_, secret) => {
    const { receiver } = bench({ secret });
    expect(verdict(await receiver.receive(signed()))).toBe("accepted");
  });

  it("is not called at creation", () => {
    const secret = vi.fn(() => SECRET);
    bench({ secret });
    expect(secret).not.toHaveBeenCalled();
  });

  it("is not called for a delivery that its headers or body refuse", async () => {
    const secret = vi.fn(() => SECRET);
    const { receiver } = bench({ secret, maxBodyBytes: 200 });
    const genuine = signed();
    await receiver.receive({ ...genuine, method: "GET" });
    await receiver.receive({ ...genuine, headers: {} });
    await receiver.receive({ ...genuine, headers: { "x-bluum-signature": "not hex" } });
    await receiver.receive({ ...genuine, headers: { ...genuine.headers, "content-encoding": "gzip" } });
    await receiver.receive({ ...genuine, body: "text" as unknown as Uint8Array });
    await receiver.receive(signed("x".repeat(201)));
    expect(secret).not.toHaveBeenCalled();
  });

  it("keeps the memory of large bodies counted while it is asked", async () => {
    const { passed, open } = gate<string>();
    const { receiver } = bench({ secret: () => passed });
    const large = () => {
      const { body, ...others } = signed();
      const reserveHalf = async ({ reserve }: BodyLimits) => {
        reserve?.(32 * 1024 * 1024 + 64 * 1024);
        return body;
      };
      return receiver.receive({ ...others, body: reserveHalf });
    };
    const waiting = [large(), large()];
    expect(verdict(await large())).toBe("receiver_busy");
    open(SECRET);
    expect((await Promise.all(waiting)).map(verdict)).toEqual(["accepted", "accepted"]);
    expect(verdict(await large())).toBe("accepted");
  });

  it("is called again on a mismatch, so that a new secret works at once", async () => {
    let current: Secrets = OLD;
    const { receiver } = bench({ secret: () => current });
    expect(verdict(await receiver.receive(signed(anEvent(), { secret: OLD })))).toBe("accepted");
    current = [NEW, OLD];
    expect(await receiver.receive(signed(anEvent(), { secret: NEW }))).toMatchObject({ context: { secretIndex: 0 } });
    expect(await receiver.receive(signed(anEvent(), { secret: OLD }))).toMatchObject({ context: { secretIndex: 1 } });
  });

  it("may change the list that it returned before", async () => {
    const list = [OLD];
    const { receiver } = bench({ secret: () => list });
    await receiver.receive(signed(anEvent(), { secret: OLD }));
    list[0] = NEW;
    expect(verdict(await receiver.receive(signed(anEvent(), { secret: NEW })))).toBe("accepted");
    expect(verdict(await receiver.receive(signed(anEvent(), { secret: OLD })))).toBe("signature_mismatch");
  });

  it("has one call in flight, which concurrent deliveries share", async () => {
    const answer = gate<string>();
    const secret = vi.fn(() => answer.passed);
    const { receiver } = bench({ secret });
    const deliveries = Array.from({ length: 20 }, () => receiver.receive(signed()));
    await vi.waitFor(() => expect(secret).toHaveBeenCalled());
    answer.open(SECRET);
    expect((await Promise.all(deliveries)).map(verdict)).toEqual(Array(20).fill("accepted"));
    expect(secret).toHaveBeenCalledTimes(1);
  });

  it("is called again on a mismatch only", async () => {
    const scheme = timestampedSignature({ header: "X-Sig" });
    const secret = vi.fn(() => SECRET);
    const { receiver } = bench({ scheme, secret });
    expect(verdict(await receiver.receive(signed(anEvent(), { scheme })))).toBe("accepted");
    const stale = signed(anEvent(), { scheme, now: Date.now() - 600_000 });
    expect(verdict(await receiver.receive(stale))).toBe("timestamp_out_of_tolerance");
    expect(verdict(await receiver.receive({ ...stale, headers: { "x-sig": "x" } }))).toBe("signature_malformed");
    expect(secret).toHaveBeenCalledTimes(1);
  });
});

describe("the keys of a secret function", () => {
  const scheme = hmacSignature({ header: "X-Sig" });

  /** Keys on a manual clock, and the function that returns their secrets. */
  function onClock(first: Secrets) {
    let now = 0;
    const asked = vi.fn<() => Secrets | Promise<Secrets>>(() => first);
    const prepare = vi.fn(scheme.prepare);
    const keys = keySource(asked, { ...scheme, prepare }, 5_000, () => now);
    const advance = (ms: number) => {
      now += ms;
    };
    return { asked, prepare, keys, advance };
  }

  it("are used for ten seconds after the answer", async () => {
    const { asked, keys, advance } = onClock(OLD);
    const first = await keys.current();
    advance(9_999);
    expect(await keys.current()).toBe(first);
    expect(asked).toHaveBeenCalledTimes(1);
    asked.mockReturnValue([NEW, OLD]);
    advance(1);
    expect(await keys.current()).toHaveLength(2);
    expect(asked).toHaveBeenCalledTimes(2);
    advance(-1);
    await keys.current();
    expect(asked).toHaveBeenCalledTimes(3);
  });

  it("are made again only when the answer has changed", async () => {
    const { asked, prepare, keys, advance } = onClock([OLD, NEW]);
    const first = await keys.current();
    advance(10_000);
    expect(await keys.current()).toBe(first);
    expect(asked).toHaveBeenCalledTimes(2);
    expect(prepare).toHaveBeenCalledTimes(2);
    asked.mockReturnValue([NEW, OLD]);
    advance(10_000);
    expect(await keys.current()).not.toBe(first);
    expect(prepare).toHaveBeenCalledTimes(4);
  });

  it("are fetched again on a mismatch, at most once a second", async () => {
    const { asked, keys, advance } = onClock(OLD);
    const used = await keys.current();
    expect(await keys.newerThan(used)).toBeUndefined();
    expect(asked).toHaveBeenCalledTimes(2);
    for (const ms of [0, 500, 499]) {
      advance(ms);
      expect(await keys.newerThan(used)).toBeUndefined();
    }
    expect(asked).toHaveBeenCalledTimes(2);
    asked.mockReturnValue(NEW);
    advance(1);
    const newer = await keys.newerThan(used);
    expect(newer).toHaveLength(1);
    expect(asked).toHaveBeenCalledTimes(3);
    // A delivery verified with the old keys gets the new ones without another call.
    expect(await keys.newerThan(used)).toBe(newer);
    expect(await keys.current()).toBe(newer);
    expect(asked).toHaveBeenCalledTimes(3);
  });

  it("are fetched in one call by concurrent mismatches", async () => {
    const { asked, keys } = onClock(OLD);
    const used = await keys.current();
    const answer = gate<string>();
    asked.mockReturnValue(answer.passed);
    const waiting = [keys.newerThan(used), keys.newerThan(used), keys.newerThan(used)];
    answer.open(NEW);
    const [newer, ...others] = await Promise.all(waiting);
    expect(newer).toHaveLength(1);
    for (const other of others) expect(other).toBe(newer);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("are kept when a call fails, which is not repeated within the second", async () => {
    const { asked, keys, advance } = onClock(OLD);
    const used = await keys.current();
    asked.mockImplementationOnce(() => Promise.reject(new Error("vault sealed")));
    await expect(keys.newerThan(used)).rejects.toMatchObject({ code: "secret_unavailable" });
    expect(await keys.newerThan(used)).toBeUndefined();
    expect(await keys.current()).toBe(used);
    expect(asked).toHaveBeenCalledTimes(2);
    advance(10_000);
    asked.mockImplementationOnce(() => Promise.reject(new Error("vault sealed")));
    await expect(keys.current()).rejects.toMatchObject({ code: "secret_unavailable" });
    expect(await keys.current()).toBe(used);
    expect(asked).toHaveBeenCalledTimes(4);
  });

  it("that are fixed are never newer", async () => {
    const keys = keySource([OLD, NEW], scheme, 5_000);
    const used = await keys.current();
    expect(used).toHaveLength(2);
    expect(await keys.newerThan(used)).toBeUndefined();
  });

  it("are fetched twice by a thousand forged deliveries", async () => {
    const secret = vi.fn(() => SECRET);
    const { receiver } = bench({ secret, now: () => 1_750_000_000_000 });
    const forged = () => receiver.receive(signed(anEvent(), { secret: OLD }));
    for (let n = 0; n < 10; n++) {
      const verdicts = (await Promise.all(Array.from({ length: 100 }, forged))).map(verdict);
      expect(new Set(verdicts)).toEqual(new Set(["signature_mismatch"]));
    }
    expect(secret).toHaveBeenCalledTimes(2);
  });
});

describe("a secret function that fails", () => {
  const secretThat = {
    throws: () => {
      throw new Error("vault sealed");
    },
    rejects: () => Promise.reject(new Error("vault sealed")),
    "returns a blank": () => "",
    "returns an empty list": () => [],
    "returns nothing": () => undefined,
    "returns a list with a blank": () => [SECRET, " "],
    "returns a list with nothing in it": () => [undefined] as unknown as string[],
    "returns a list with a hole": () => new Array(1),
    "returns a secret with its line break": () => `${SECRET}\n`,
    "returns a short secret": () => "short",
    "returns a public key": () => `whpk_${Buffer.alloc(32, 7).toString("base64")}`,
    "returns a number": () => 7 as unknown as string,
    "returns bytes": () => Buffer.from(SECRET) as unknown as string,
  };

  it.each(Object.entries(secretThat))("is answered 503 when it %s", async (_, secret) => {
    const { receiver, lines, reports } = bench({ secret });
    const reply = await receiver.handle(signed());
    expect(reply).toMatchObject({
      status: 503,
      headers: { "retry-after": "5" },
      body: '{"error":{"code":"secret_unavailable"}}',
    });
    expect(reports).toMatchObject([{ outcome: "rejected", code: "secret_unavailable", status: 503 }]);
    expect(lines).toMatchObject([{ level: "error", error: expect.any(Error) }]);
    expect(JSON.stringify(lines) + lines.map((line) => String(line.error))).not.toContain(SECRET);
  });

  it("is used again when it works again", async () => {
    const answers: Secrets[] = ["", "", SECRET];
    const { receiver } = bench({ secret: () => answers.shift() });
    const verdicts = [];
    for (let n = 0; n < 4; n++) verdicts.push(verdict(await receiver.receive(signed())));
    expect(verdicts).toEqual(["secret_unavailable", "secret_unavailable", "accepted", "accepted"]);
  });

  it("is answered 503 on a mismatch too", async () => {
    const answers: Secrets[] = [OLD, ""];
    const { receiver } = bench({ secret: () => answers.shift() });
    const verdicts = [];
    for (const secret of [OLD, NEW, OLD]) verdicts.push(verdict(await receiver.receive(signed(anEvent(), { secret }))));
    expect(verdicts).toEqual(["accepted", "secret_unavailable", "accepted"]);
  });

  it("fails only the deliveries that share its call", async () => {
    const secret = vi.fn().mockRejectedValueOnce(new Error("vault sealed")).mockResolvedValue(SECRET);
    const { receiver } = bench({ secret });
    const together = await Promise.all([receiver.receive(signed()), receiver.receive(signed())]);
    expect(together.map(verdict)).toEqual(["secret_unavailable", "secret_unavailable"]);
    expect(verdict(await receiver.receive(signed()))).toBe("accepted");
  });
});

describe("a secret function that never answers", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("fails after secretTimeoutMs, by default five seconds", async () => {
    for (const [options, ms] of [
      [{}, 5_000],
      [{ secretTimeoutMs: 70 }, 70],
    ] as const) {
      const { receiver, reports } = bench({ ...options, secret: () => new Promise(() => {}) });
      const delivered = receiver.receive(signed());
      await vi.advanceTimersByTimeAsync(ms - 1);
      expect(reports).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      expect(verdict(await delivered)).toBe("secret_unavailable");
    }
  });

  it("is called again by the next delivery", async () => {
    const secret = vi
      .fn()
      .mockReturnValueOnce(new Promise(() => {}))
      .mockReturnValue(SECRET);
    const { receiver } = bench({ secret });
    const delivered = receiver.receive(signed());
    await vi.advanceTimersByTimeAsync(5_000);
    expect(verdict(await delivered)).toBe("secret_unavailable");
    expect(verdict(await receiver.receive(signed()))).toBe("accepted");
  });

  it("may reject after its timeout", async () => {
    let reject: (error: Error) => void = () => {};
    const { receiver } = bench({
      secret: () =>
        new Promise((_, no) => {
          reject = no;
        }),
    });
    const delivered = receiver.receive(signed());
    await vi.advanceTimersByTimeAsync(5_000);
    expect(verdict(await delivered)).toBe("secret_unavailable");
    reject(new Error("too late"));
    await vi.advanceTimersByTimeAsync(1);
  });
});
