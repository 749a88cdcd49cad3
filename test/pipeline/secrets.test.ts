import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Secrets } from "../../src/index.ts";
import { hmacSignature } from "../../src/schemes/hmac.ts";
import { anEvent, bench, gate, SECRET, signed, verdict } from "./receiving.ts";

const OLD = "the-secret-of-yesterday";
const NEW = "the-secret-of-tomorrow";

describe("several secrets", () => {
  it("are all tried, and the place of the one that matched is told", async () => {
    const { receiver, reports } = bench({ secret: [NEW, OLD] });
    for (const [index, secret] of [NEW, OLD].entries()) {
      expect(await receiver.receive(signed(anEvent(), { secret }))).toMatchObject({ context: { secretIndex: index } });
    }
    expect(verdict(await receiver.receive(signed(anEvent(), { secret: SECRET })))).toBe("signature_mismatch");
    expect(reports).toMatchObject([{ code: "signature_mismatch" }]);
    expect(reports[0]).not.toHaveProperty("secretIndex");
  });

  it("count by their place in what a function returned", async () => {
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

  it("is not called for a delivery whose headers or body cannot succeed", async () => {
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

  it("is asked again for each delivery, so that a rotation is picked up", async () => {
    let current: Secrets = OLD;
    const { receiver } = bench({ secret: () => current });
    expect(verdict(await receiver.receive(signed(anEvent(), { secret: OLD })))).toBe("accepted");
    current = [NEW, OLD];
    expect(await receiver.receive(signed(anEvent(), { secret: NEW }))).toMatchObject({ context: { secretIndex: 0 } });
    expect(await receiver.receive(signed(anEvent(), { secret: OLD }))).toMatchObject({ context: { secretIndex: 1 } });
    current = NEW;
    expect(verdict(await receiver.receive(signed(anEvent(), { secret: OLD })))).toBe("signature_mismatch");
  });

  it("may change the very list that it returned before", async () => {
    const list = [OLD];
    const { receiver } = bench({ secret: () => list });
    await receiver.receive(signed(anEvent(), { secret: OLD }));
    list[0] = NEW;
    expect(verdict(await receiver.receive(signed(anEvent(), { secret: NEW })))).toBe("accepted");
    expect(verdict(await receiver.receive(signed(anEvent(), { secret: OLD })))).toBe("signature_mismatch");
  });

  it("costs the making of keys only when its answer changed", async () => {
    const scheme = hmacSignature({ header: "X-Sig" });
    const prepare = vi.fn(scheme.prepare);
    let current: Secrets = [OLD, NEW];
    const { receiver } = bench({ scheme: { ...scheme, prepare }, secret: () => current });
    const delivered = () => receiver.receive(signed(anEvent(), { scheme, secret: NEW }));
    await delivered();
    await delivered();
    expect(prepare).toHaveBeenCalledTimes(2);
    current = [NEW, OLD];
    expect(await delivered()).toMatchObject({ context: { secretIndex: 0 } });
    expect(prepare).toHaveBeenCalledTimes(4);
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
    await receiver.receive(signed());
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

  it.each(Object.entries(secretThat))("because it %s is answered 503, and nothing is verified", async (_, secret) => {
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

  it("is not held against it when it works again, nor are its last good keys used in between", async () => {
    const answers: Secrets[] = [SECRET, "", SECRET];
    const { receiver } = bench({ secret: () => answers.shift() });
    const verdicts = [];
    for (let n = 0; n < 3; n++) verdicts.push(verdict(await receiver.receive(signed())));
    expect(verdicts).toEqual(["accepted", "secret_unavailable", "accepted"]);
  });

  it("fails all the deliveries that share its call, and only those", async () => {
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

  it("has failed after secretTimeoutMs, five seconds unless set", async () => {
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

  it("is given up: the next delivery asks anew", async () => {
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

  it("may reject after its time without any harm", async () => {
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
