import { describe, expect, it } from "vitest";
import type { Delivery } from "../../src/delivery.ts";
import type { AcceptedOutcome, ReceiverOptions, SignatureScheme } from "../../src/index.ts";
import { createReceiver, memoryStore } from "../../src/index.ts";
import { hmacSignature } from "../../src/schemes/hmac.ts";
import type { DedupeStore } from "../../src/stores/store.ts";
import { accepted, anEvent, bench, SECRET, signed, verdict } from "./receiving.ts";

// No type keeps a program in JavaScript from plugging in something else than what was asked for.

/** Something of a wrong type, as such a program would have it. */
function wrong<T>(value: unknown): T {
  return value as T;
}

const rejecting = () => Promise.reject(new Error("no"));
const scheme = hmacSignature({ header: "X-Bluum-Signature" });
const OLD = { timestamp: "2020-01-01T00:00:00Z" };

describe("a scheme's message id that is none", () => {
  it("makes no event a duplicate of another", async () => {
    const ids = [Promise.resolve("m"), rejecting(), () => "m", new Map(), {}, 7, ["m"], Buffer.from("m")];
    for (const messageId of ids) {
      const verify = () => ({ secretIndex: 0, messageId: wrong<string>(messageId) });
      const { receiver } = bench({ scheme: { ...scheme, verify } });
      for (const delivery of [signed(), signed()])
        expect(verdict(await receiver.receive(delivery))).toBe("receiver_failed");
    }
  });
});

describe("a clock that tells no time", () => {
  const clocks = [
    () => Number.NaN,
    () => undefined,
    () => null,
    () => "soon",
    async () => Date.now(),
    rejecting,
    () => new Date(""),
  ];

  it("lets nothing pass that may be too old", async () => {
    for (const now of clocks) {
      const { receiver, lines } = bench({ now: wrong<() => number>(now) });
      for (const event of [anEvent(), anEvent("order.filled", OLD)])
        expect(verdict(await receiver.receive(signed(event)))).toBe("receiver_failed");
      expect(lines).toMatchObject([{ level: "error", message: expect.stringContaining("now") }]);
    }
  });

  it("lets nothing pass either where it fails only once the signature is verified", async () => {
    let asked = 0;
    const now = () => (asked++ === 0 ? Date.now() : Number.NaN);
    expect(verdict(await bench({ now }).receiver.receive(signed()))).toBe("receiver_failed");
  });

  it("is not one that tells it by a Date", async () => {
    const now = wrong<() => number>(() => new Date());
    const { receiver } = bench({ now, store: memoryStore({ now }) });
    const delivery = signed();
    await accepted(await receiver.receive(delivery)).settle("processed");
    expect(verdict(await receiver.receive(delivery))).toBe("duplicate");
  });

  it("of the memory store makes it fail, not forget", async () => {
    for (const now of clocks) {
      const store = memoryStore({ now: wrong<() => number>(now) });
      expect(verdict(await bench({ store }).receiver.receive(signed()))).toBe("store_unavailable");
    }
  });
});

describe("a scheme that does not say by true that it signs a time", () => {
  it("has the age of its events checked", async () => {
    for (const signsTimestamp of ["no", 1, () => false, undefined]) {
      const { receiver } = bench({ scheme: { ...scheme, signsTimestamp: wrong<boolean>(signsTimestamp) } });
      expect(verdict(await receiver.receive(signed(anEvent("order.filled", OLD))))).toBe("event_too_old");
    }
  });
});

describe("keys", () => {
  it("may be none, where a scheme has its own", async () => {
    const key = scheme.prepare(SECRET);
    const verify: SignatureScheme["verify"] = (presented, body, _keys, now) =>
      scheme.verify(presented, body, [key], now);
    const { receiver } = bench({ scheme: { ...scheme, prepare: () => undefined, verify } });
    expect(verdict(await receiver.receive(signed()))).toBe("accepted");
    expect(verdict(await receiver.receive(signed(anEvent(), { secret: "another-secret-of-some-length" })))).toBe(
      "signature_mismatch",
    );
  });

  it("that prepare does not return at once are refused at creation, where secrets are fixed", () => {
    for (const prepare of [async (secret: string) => secret, rejecting]) {
      expect(() => createReceiver({ secret: SECRET, scheme: { ...scheme, prepare }, logger: false })).toThrow(
        expect.objectContaining({ code: "configuration_invalid", message: expect.stringContaining("prepare") }),
      );
    }
  });

  it("that prepare does not return at once are none, where secrets are fetched", async () => {
    const { receiver } = bench({ secret: () => SECRET, scheme: { ...scheme, prepare: rejecting } });
    expect(verdict(await receiver.receive(signed()))).toBe("secret_unavailable");
  });

  it("of secrets that are promises are none, and their rejections end no process", async () => {
    const { receiver } = bench({ secret: () => wrong<string[]>([rejecting(), SECRET, rejecting()]) });
    expect(verdict(await receiver.receive(signed()))).toBe("secret_unavailable");
    expect(() => createReceiver({ secret: wrong<string[]>([rejecting(), rejecting()]) })).toThrow("secret[0]");
    expect(() => createReceiver({ secret: wrong<string>(rejecting()) })).toThrow("secret");
  });

  it("cannot be used up by a scheme", async () => {
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
  /** What a redelivery comes to after the first one was settled like this. */
  async function afterSettling(settle: (outcome: AcceptedOutcome) => Promise<unknown>): Promise<[unknown, string]> {
    const { receiver } = bench();
    const delivery = signed();
    const settled = await settle(accepted(await receiver.receive(delivery)));
    return [settled, verdict(await receiver.receive(delivery))];
  }

  it("that is neither processed nor failed has failed", async () => {
    for (const as of [undefined, null, false, true, "error", "Failed", "Processed", new Error("no"), rejecting()]) {
      expect(await afterSettling((outcome) => outcome.settle(wrong<"failed">(as)))).toEqual(["released", "accepted"]);
    }
  });

  it("with null for its detail stands", async () => {
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
  it("is refused, since to call it runs nothing of it", () => {
    const handlers = [function* () {}, async function* () {}, { *method() {} }.method];
    for (const handler of handlers) {
      expect(() => bench().receiver.on("*", handler)).toThrow(
        expect.objectContaining({ code: "registration_refused", message: expect.stringContaining("generator") }),
      );
    }
  });
});

describe("a store that answers something else than its contract says", () => {
  const storeWith = (verbs: object): DedupeStore => ({ ...memoryStore(), ...verbs });
  const receiving = (store: DedupeStore, more: Partial<ReceiverOptions> = {}) =>
    bench({ store, namespace: "plugged-in", ...more });

  it("at the claim has failed, and the claim is released", async () => {
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

  it("at the claim has failed, so that the event is accepted without one where that is wanted", async () => {
    const { receiver } = receiving(storeWith({ claim: async () => true }), { onStoreError: "accept" });
    expect(accepted(await receiver.receive(signed())).context.deduplicated).toBe(false);
  });

  it("at the completion may not have taken it, which is logged, and not tried on", async () => {
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

  it("about the time that another claim has left is not told to the sender", async () => {
    for (const remainingMs of [Number.NaN, Number.POSITIVE_INFINITY, "soon", undefined]) {
      const store = storeWith({ claim: async () => ({ status: "in_flight", remainingMs }) });
      const { headers } = await receiving(store).receiver.handle(signed());
      expect(headers["retry-after"]).toBe("5");
    }
  });
});

describe("an adapter of one's own", () => {
  it("that tells no time for timeLeftMs gets nothing accepted, and nothing runs twice at once", async () => {
    for (const timeLeftMs of [Number.NaN, null, "30000", {}, () => 1_000, rejecting()]) {
      const { receiver, lines } = bench();
      const delivery = { ...signed(), timeLeftMs: wrong<number>(timeLeftMs) };
      expect(verdict(await receiver.receive(delivery))).toBe("receiver_failed");
      expect(lines).toMatchObject([{ message: expect.stringContaining("timeLeftMs") }]);
    }
    const endless = { ...signed(), timeLeftMs: Number.POSITIVE_INFINITY };
    expect(verdict(await bench().receiver.receive(endless))).toBe("accepted");
  });

  it("whose waitUntil rejects is logged, and ends no process", async () => {
    const { receiver, lines } = bench();
    receiver.on("*", async () => {});
    const reply = await receiver.handle({ ...signed(), waitUntil: wrong<() => void>(rejecting) });
    expect(reply.status).toBe(200);
    expect(lines.map(({ message }) => message)).toEqual([expect.stringContaining("waitUntil")]);
  });

  it("whose body is a promise is told that it is none, and no rejection ends the process", async () => {
    const delivery = { ...signed(), body: wrong<Uint8Array>(rejecting()) };
    expect(verdict(await bench().receiver.receive(delivery))).toBe("body_already_parsed");
  });

  it("that hands over no delivery at all gets an answer", async () => {
    expect((await bench().receiver.handle(wrong<Delivery>(undefined))).status).toBe(500);
    expect(verdict(await bench().receiver.receive(wrong<Delivery>(null)))).toBe("receiver_failed");
  });
});

describe("what is told of evictions", () => {
  it("may reject without ending the process", async () => {
    const store = memoryStore({ maxEntries: 1, onEvict: rejecting });
    for (const key of ["a", "b"]) {
      await store.claim(key, { token: key, leaseMs: 1_000 });
      expect(await store.complete(key, { token: key, retentionMs: 1_000 })).toBe("stored");
    }
  });
});

describe("closing", () => {
  it("refuses a time to wait that is none, rather than not to wait", async () => {
    for (const timeoutMs of [Number.NaN, "30000", null]) {
      const { receiver } = bench();
      await expect(receiver.close({ timeoutMs: wrong<number>(timeoutMs) })).rejects.toMatchObject({
        code: "configuration_invalid",
      });
      expect(verdict(await receiver.receive(signed()))).toBe("receiver_closed");
    }
  });

  it("does not wait where the time to wait is over already", async () => {
    const { receiver } = bench();
    accepted(await receiver.receive(signed()));
    await receiver.close({ timeoutMs: -1 });
  });
});
