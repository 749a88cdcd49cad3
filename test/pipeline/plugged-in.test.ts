import { describe, expect, it } from "vitest";
import type { Delivery } from "../../src/delivery.ts";
import type { AcceptedOutcome, ReceiverOptions, SignatureScheme } from "../../src/index.ts";
import { createReceiver, memoryStore } from "../../src/index.ts";
import { hmacSignature } from "../../src/schemes/hmac.ts";
import type { DedupeStore } from "../../src/stores/store.ts";
import { accepted, anEvent, bench, SECRET, signed, verdict } from "./receiving.ts";

// A program in JavaScript can plug in values of a wrong type.

/** A value of a wrong type. */
function wrong<T>(value: unknown): T {
  return value as T;
}

const rejecting = () => Promise.reject(new Error("no"));
const scheme = hmacSignature({ header: "X-Bluum-Signature" });
const OLD = { timestamp: "2020-01-01T00:00:00Z" };

describe("an invalid message id of a scheme", () => {
  it("makes no event a duplicate", async () => {
    const ids = [Promise.resolve("m"), rejecting(), () => "m", new Map(), {}, 7, ["m"], Buffer.from("m")];
    for (const messageId of ids) {
      const verify = () => ({ secretIndex: 0, messageId: wrong<string>(messageId) });
      const { receiver } = bench({ scheme: { ...scheme, verify } });
      for (const delivery of [signed(), signed()])
        expect(verdict(await receiver.receive(delivery))).toBe("receiver_failed");
    }
  });
});

describe("a clock that returns no time", () => {
  const clocks = [
    () => Number.NaN,
    () => undefined,
    () => null,
    () => "soon",
    async () => Date.now(),
    rejecting,
    () => new Date(""),
  ];

  it("accepts no event", async () => {
    for (const now of clocks) {
      const { receiver, lines } = bench({ now: wrong<() => number>(now) });
      for (const event of [anEvent(), anEvent("order.filled", OLD)])
        expect(verdict(await receiver.receive(signed(event)))).toBe("receiver_failed");
      expect(lines).toMatchObject([{ level: "error", message: expect.stringContaining("now") }]);
    }
  });

  it("accepts no event when it fails after the signature was verified", async () => {
    let asked = 0;
    const now = () => (asked++ === 0 ? Date.now() : Number.NaN);
    expect(verdict(await bench({ now }).receiver.receive(signed()))).toBe("receiver_failed");
  });

  it("may return a Date", async () => {
    const now = wrong<() => number>(() => new Date());
    const { receiver } = bench({ now, store: memoryStore({ now }) });
    const delivery = signed();
    await accepted(await receiver.receive(delivery)).settle("processed");
    expect(verdict(await receiver.receive(delivery))).toBe("duplicate");
  });

  it("of the memory store makes the claim fail", async () => {
    for (const now of clocks) {
      const store = memoryStore({ now: wrong<() => number>(now) });
      expect(verdict(await bench({ store }).receiver.receive(signed()))).toBe("store_unavailable");
    }
  });
});

describe("a scheme whose signsTimestamp is not true", () => {
  it("has the age of its events checked", async () => {
    for (const signsTimestamp of ["no", 1, () => false, undefined]) {
      const { receiver } = bench({ scheme: { ...scheme, signsTimestamp: wrong<boolean>(signsTimestamp) } });
      expect(verdict(await receiver.receive(signed(anEvent("order.filled", OLD))))).toBe("event_too_old");
    }
  });
});

describe("the keys of a scheme", () => {
  it("may be undefined", async () => {
    const key = scheme.prepare(SECRET);
    const verify: SignatureScheme["verify"] = (presented, body, _keys, now) =>
      scheme.verify(presented, body, [key], now);
    const { receiver } = bench({ scheme: { ...scheme, prepare: () => undefined, verify } });
    expect(verdict(await receiver.receive(signed()))).toBe("accepted");
    expect(verdict(await receiver.receive(signed(anEvent(), { secret: "another-secret-of-some-length" })))).toBe(
      "signature_mismatch",
    );
  });

  it("are refused at creation when prepare returns a promise", () => {
    for (const prepare of [async (secret: string) => secret, rejecting]) {
      expect(() => createReceiver({ secret: SECRET, scheme: { ...scheme, prepare }, logger: false })).toThrow(
        expect.objectContaining({ code: "configuration_invalid", message: expect.stringContaining("prepare") }),
      );
    }
  });

  it("are refused when prepare returns a promise for a fetched secret", async () => {
    const { receiver } = bench({ secret: () => SECRET, scheme: { ...scheme, prepare: rejecting } });
    expect(verdict(await receiver.receive(signed()))).toBe("secret_unavailable");
  });

  it("are refused for secrets that are promises", async () => {
    const { receiver } = bench({ secret: () => wrong<string[]>([rejecting(), SECRET, rejecting()]) });
    expect(verdict(await receiver.receive(signed()))).toBe("secret_unavailable");
    expect(() => createReceiver({ secret: wrong<string[]>([rejecting(), rejecting()]) })).toThrow("secret[0]");
    expect(() => createReceiver({ secret: wrong<string>(rejecting()) })).toThrow("secret");
  });

  it("cannot be changed by a scheme", async () => {
    const greedy: SignatureScheme = {
      ...scheme,
      verify: (presented, body, keys, now) => scheme.verify(presented, body, [(keys as unknown[]).shift()], now),
    };
    const { receiver } = bench({ scheme: greedy });
    for (const delivery of [signed(), signed()])
      expect(verdict(await receiver.receive(delivery))).toBe("receiver_failed");
  });
});

describe("a settlement", () => {
  /** The outcome of a retry after the first delivery was settled like this. */
  async function afterSettling(settle: (outcome: AcceptedOutcome) => Promise<unknown>): Promise<[unknown, string]> {
    const { receiver } = bench();
    const delivery = signed();
    const settled = await settle(accepted(await receiver.receive(delivery)));
    return [settled, verdict(await receiver.receive(delivery))];
  }

  it("that is neither processed nor failed counts as failed", async () => {
    for (const as of [undefined, null, false, true, "error", "Failed", "Processed", new Error("no"), rejecting()]) {
      expect(await afterSettling((outcome) => outcome.settle(wrong<"failed">(as)))).toEqual(["released", "accepted"]);
    }
  });

  it("may have null as detail", async () => {
    expect(await afterSettling((outcome) => outcome.settle("failed", wrong<undefined>(null)))).toEqual([
      "released",
      "accepted",
    ]);
    expect(await afterSettling((outcome) => outcome.settle("processed", wrong<undefined>(null)))).toEqual([
      "stored",
      "duplicate",
    ]);
  });
});

describe("a handler that is a generator function", () => {
  it("is refused, since a call runs nothing of it", () => {
    const handlers = [function* () {}, async function* () {}, { *method() {} }.method];
    for (const handler of handlers) {
      expect(() => bench().receiver.on("*", handler)).toThrow(
        expect.objectContaining({ code: "registration_refused", message: expect.stringContaining("generator") }),
      );
    }
  });
});

describe("a store that breaks its contract", () => {
  const storeWith = (verbs: object): DedupeStore => ({ ...memoryStore(), ...verbs });
  const receiving = (store: DedupeStore, more: Partial<ReceiverOptions> = {}) =>
    bench({ store, namespace: "plugged-in", ...more });

  it("has failed at the claim, which is released", async () => {
    for (const answer of [undefined, null, true, "claimed", {}, { status: "Claimed" }]) {
      const released: string[] = [];
      const { receiver } = receiving(
        storeWith({ claim: async () => answer, release: async (key: string) => released.push(key) > 0 }),
      );
      let ran = 0;
      receiver.on("*", () => void ran++);
      expect((await receiver.handle(signed())).status).toBe(503);
      expect([ran, released.length]).toEqual([0, 1]);
    }
  });

  it("has failed at the claim, and onStoreError accept accepts the event", async () => {
    const { receiver } = receiving(storeWith({ claim: async () => true }), { onStoreError: "accept" });
    expect(accepted(await receiver.receive(signed())).context.deduplicated).toBe(false);
  });

  it("is logged at the completion, which is not retried", async () => {
    for (const answer of [undefined, null, false, true, "HELD_BY_ANOTHER", "released", "rolled_back", {}]) {
      let asked = 0;
      const complete = async () => {
        asked += 1;
        return answer;
      };
      const { receiver, lines } = receiving(storeWith({ complete }));
      expect(await accepted(await receiver.receive(signed())).settle("processed")).toBe("unstored");
      expect(lines).toMatchObject([{ level: "error", message: expect.stringContaining("complete answered") }]);
      await receiver.close();
      expect(asked).toBe(1);
    }
  });

  it("with an invalid remainingMs is answered with Retry-After 5", async () => {
    for (const remainingMs of [Number.NaN, Number.POSITIVE_INFINITY, "soon", undefined]) {
      const store = storeWith({ claim: async () => ({ status: "in_flight", remainingMs }) });
      const { headers } = await receiving(store).receiver.handle(signed());
      expect(headers["retry-after"]).toBe("5");
    }
  });
});

describe("a custom adapter", () => {
  it("with an invalid timeLeftMs gets no event accepted", async () => {
    for (const timeLeftMs of [Number.NaN, null, "30000", {}, () => 1_000, rejecting()]) {
      const { receiver, lines } = bench();
      const delivery = { ...signed(), timeLeftMs: wrong<number>(timeLeftMs) };
      expect(verdict(await receiver.receive(delivery))).toBe("receiver_failed");
      expect(lines).toMatchObject([{ message: expect.stringContaining("timeLeftMs") }]);
    }
    const endless = { ...signed(), timeLeftMs: Number.POSITIVE_INFINITY };
    expect(verdict(await bench().receiver.receive(endless))).toBe("accepted");
  });

  it("whose waitUntil rejects is logged", async () => {
    const { receiver, lines } = bench();
    receiver.on("*", async () => {});
    const reply = await receiver.handle({ ...signed(), waitUntil: wrong<() => void>(rejecting) });
    expect(reply.status).toBe(200);
    expect(lines.map(({ message }) => message)).toEqual([expect.stringContaining("waitUntil")]);
  });

  it("whose body is a promise is refused", async () => {
    const delivery = { ...signed(), body: wrong<Uint8Array>(rejecting()) };
    expect(verdict(await bench().receiver.receive(delivery))).toBe("body_already_parsed");
  });

  it("that passes no delivery gets an answer", async () => {
    expect((await bench().receiver.handle(wrong<Delivery>(undefined))).status).toBe(500);
    expect(verdict(await bench().receiver.receive(wrong<Delivery>(null)))).toBe("receiver_failed");
  });
});

describe("onEvict of the memory store", () => {
  it("may reject", async () => {
    const store = memoryStore({ maxEntries: 1, onEvict: rejecting });
    for (const key of ["a", "b"]) {
      await store.claim(key, { token: key, leaseMs: 1_000 });
      expect(await store.complete(key, { token: key, retentionMs: 1_000 })).toBe("stored");
    }
  });
});

describe("close", () => {
  it("refuses an invalid timeoutMs, and does not close", async () => {
    for (const timeoutMs of [Number.NaN, "30000", null]) {
      const { receiver } = bench();
      await expect(receiver.close({ timeoutMs: wrong<number>(timeoutMs) })).rejects.toMatchObject({
        code: "configuration_invalid",
      });
      expect(verdict(await receiver.receive(signed()))).toBe("accepted");
    }
  });

  it("does not wait with a negative timeoutMs", async () => {
    const { receiver } = bench();
    accepted(await receiver.receive(signed()));
    await receiver.close({ timeoutMs: -1 });
  });
});
