import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { BodyLimits, Delivery } from "../../src/delivery.ts";
import { type ReceiverOptions, type SignatureScheme, WebhookError } from "../../src/index.ts";
import { timestampedSignature } from "../../src/schemes/timestamped.ts";
import { inFull, runs } from "../exhaustive.ts";
import { faultyStore, rejects } from "./faulty-store.ts";
import { anEvent, bench, SECRET, signed, verdict } from "./receiving.ts";

const NOW = 1_750_000_000_000;
const DAY = 86_400_000;

/** The faults of a delivery, in the order in which they must be found. */
const FAULTS = [
  "method_not_allowed",
  "content_encoding_unsupported",
  "signature_missing",
  "signature_malformed",
  "body_already_parsed",
  "body_too_large",
  "body_timeout",
  "secret_unavailable",
  "signature_mismatch",
  "payload_not_utf8",
  "payload_not_json",
  "payload_not_event",
  "event_too_old",
  "event_id_failed",
  "store_unavailable",
] as const;
type Fault = (typeof FAULTS)[number];

/** A delivery with all of these faults, and a receiver for it. */
function faulty(faults: readonly Fault[]): { delivery: Delivery; options: Partial<ReceiverOptions> } {
  const has = (fault: Fault) => faults.includes(fault);
  const event = {
    ...(has("payload_not_event") ? {} : anEvent()),
    ...(has("event_too_old") ? { timestamp: "2025-06-01T00:00:00Z" } : {}),
  };
  const text = JSON.stringify(event) + (has("payload_not_json") ? "}" : "");
  const bytes = new Uint8Array([...new TextEncoder().encode(text), ...(has("payload_not_utf8") ? [0xff] : [])]);
  const genuine = signed(bytes, { secret: has("signature_mismatch") ? "some-other-shared-secret" : SECRET });
  const headers: Record<string, string | string[] | undefined> = { ...genuine.headers } as Record<string, string>;
  if (has("signature_malformed")) headers["X-Bluum-Signature"] = "nonsense";
  if (has("signature_missing")) delete headers["X-Bluum-Signature"];
  if (has("content_encoding_unsupported")) headers["Content-Encoding"] = "gzip";
  return {
    delivery: { method: has("method_not_allowed") ? "GET" : "POST", headers, body: bodyWith(has, genuine.body) },
    options: {
      now: () => NOW,
      maxBodyBytes: has("body_too_large") ? 1 : 10_000,
      maxEventAgeMs: DAY,
      secret: has("secret_unavailable") ? () => "" : SECRET,
      eventId: has("event_id_failed") ? failing : () => undefined,
      store: storeThat(has("store_unavailable")),
      namespace: "verify",
    },
  };
}

// A reader finds faults in the order of the adapters: already parsed, too large, too slow.
function bodyWith(has: (fault: Fault) => boolean, bytes: Uint8Array): Delivery["body"] {
  if (has("body_already_parsed")) return new TextDecoder().decode(bytes) as unknown as Uint8Array;
  if (has("body_too_large")) return bytes;
  if (has("body_timeout")) return () => Promise.reject(new WebhookError("body_timeout", "slow"));
  return async () => bytes;
}

function failing(): never {
  throw new Error("no id");
}

function storeThat(isDown: boolean) {
  const store = faultyStore();
  if (isDown) store.break("claim", rejects);
  return store;
}

async function found(faults: readonly Fault[]): Promise<string> {
  const { delivery, options } = faulty(faults);
  return verdict(await bench(options).receiver.receive(delivery));
}

describe("the order of the checks", () => {
  it("accepts the delivery that has no fault", async () => {
    expect(await found([])).toBe("accepted");
  });

  it.each(FAULTS)("finds %s alone", async (fault) => {
    expect(await found([fault])).toBe(fault);
  });

  it("finds the first of any two faults", async () => {
    for (const [place, first] of FAULTS.entries()) {
      for (const second of FAULTS.slice(place + 1))
        expect([second, await found([second, first])]).toEqual([second, first]);
    }
  });

  it("finds the first of any number of faults", inFull, async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray([...FAULTS], { minLength: 1 }), async (faults) => {
        expect(await found(faults)).toBe(faults[0]);
      }),
      { numRuns: runs(50, 2_000) },
    );
  });

  it("finds a stale timestamp only after the secret", async () => {
    const scheme = timestampedSignature({ header: "X-Sig" });
    const stale = signed(anEvent(), { scheme, now: NOW - 600_000 });
    const at = (options: Partial<ReceiverOptions>) =>
      bench({ scheme, now: () => NOW, ...options }).receiver.receive(stale);
    expect(verdict(await at({}))).toBe("timestamp_out_of_tolerance");
    expect(verdict(await at({ secret: () => "" }))).toBe("secret_unavailable");
    expect(verdict(await at({ secret: "some-other-shared-secret" }))).toBe("timestamp_out_of_tolerance");
  });
});

describe("the method", () => {
  it.each(["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "post", "Post", "POST ", ""])(
    "%j is refused",
    async (method) => {
      expect(verdict(await bench().receiver.receive({ ...signed(), method }))).toBe("method_not_allowed");
    },
  );
});

describe("the content encoding", () => {
  it.each(["gzip", "br", "deflate", "zstd", "gzip, identity", "x"])("%j is refused", async (encoding) => {
    const delivery = signed();
    const headers = { ...delivery.headers, "content-encoding": encoding };
    expect(verdict(await bench().receiver.receive({ ...delivery, headers }))).toBe("content_encoding_unsupported");
  });

  it.each(["identity", "Identity", ""])("%j is allowed", async (encoding) => {
    const delivery = signed();
    const headers = { ...delivery.headers, "CONTENT-ENCODING": encoding };
    expect(verdict(await bench().receiver.receive({ ...delivery, headers }))).toBe("accepted");
  });
});

describe("the body", () => {
  it("is read with the limits, and only after the headers were checked", async () => {
    const { body, ...delivery } = signed();
    const read = vi.fn(async (_: BodyLimits) => body);
    const { receiver } = bench({ maxBodyBytes: 1_000, bodyTimeoutMs: 2_000 });
    const unsuccessful = [
      { method: "PUT" },
      { headers: {} },
      { headers: { "x-bluum-signature": "" } },
      { headers: { ...delivery.headers, "content-encoding": "br" } },
    ];
    for (const wrong of unsuccessful) await receiver.receive({ ...delivery, ...wrong, body: read });
    expect(read).not.toHaveBeenCalled();
    expect(verdict(await receiver.receive({ ...delivery, body: read }))).toBe("accepted");
    expect(read.mock.calls).toEqual([[expect.objectContaining({ maxBytes: 1_000, timeoutMs: 2_000 })]]);
  });

  it("may have exactly maxBodyBytes, read or given", async () => {
    const delivery = signed();
    const reading = { ...delivery, body: async () => delivery.body };
    const size = delivery.body.length;
    for (const one of [delivery, reading]) {
      expect(verdict(await bench({ maxBodyBytes: size }).receiver.receive(one))).toBe("accepted");
      expect(verdict(await bench({ maxBodyBytes: size - 1 }).receiver.receive(one))).toBe("body_too_large");
    }
  });

  it("may have 1 MiB by default", async () => {
    const padded = (size: number) =>
      JSON.stringify({ event: "order.filled", pad: "" }).replace('""', `"${"x".repeat(size - 33)}"`);
    expect(padded(100)).toHaveLength(100);
    const { receiver } = bench();
    expect(verdict(await receiver.receive(signed(padded(1024 * 1024))))).toBe("accepted");
    expect(verdict(await receiver.receive(signed(padded(1024 * 1024 + 1))))).toBe("body_too_large");
  });

  it("is refused when it is not bytes", async () => {
    const { body, ...delivery } = signed();
    const text = new TextDecoder().decode(body);
    const { receiver, lines } = bench();
    for (const wrong of [text, JSON.parse(text), undefined, null, [...body], body.buffer, new Uint16Array(4)]) {
      expect(verdict(await receiver.receive({ ...delivery, body: wrong as Uint8Array }))).toBe("body_already_parsed");
      expect(verdict(await receiver.receive({ ...delivery, body: async () => wrong as Uint8Array }))).toBe(
        "body_already_parsed",
      );
    }
    expect(lines).toEqual([
      expect.objectContaining({ level: "error", message: expect.stringContaining("give it the exact bytes") }),
    ]);
  });

  it("is the exact bytes of any kind of array", async () => {
    const { body, ...delivery } = signed();
    const padded = new Uint8Array(body.length + 20);
    padded.set(body, 10);
    for (const bytes of [Buffer.from(body), padded.subarray(10, -10)]) {
      const { receiver } = bench();
      expect(await receiver.receive({ ...delivery, body: bytes })).toMatchObject({ context: { rawBody: bytes } });
    }
  });

  it.each(["body_too_large", "body_timeout", "body_incomplete", "body_already_parsed"] as const)(
    "is refused with its reader's %s",
    async (code) => {
      const body = () => Promise.reject(new WebhookError(code, "so it was"));
      expect(verdict(await bench().receiver.receive({ ...signed(), body }))).toBe(code);
    },
  );

  it.each([new Error("ECONNRESET"), null, "aborted"])("is incomplete when its reader fails with %s", async (thrown) => {
    const { receiver, reports } = bench();
    const rejecting = () => Promise.reject(thrown);
    const throwing = () => {
      throw thrown;
    };
    for (const body of [rejecting, throwing]) {
      const outcome = await receiver.receive({ ...signed(), body });
      expect(outcome).toMatchObject({ kind: "rejected", error: { code: "body_incomplete", cause: thrown } });
    }
    expect(reports).toMatchObject([{ code: "body_incomplete" }, { code: "body_incomplete" }]);
  });
});

describe("headers", () => {
  it("are found in any case, as a record, as lists and as Headers", async () => {
    const { headers, ...delivery } = signed();
    const signature = (headers as Record<string, string>)["X-Bluum-Signature"] ?? "";
    const forms = [
      { "x-bluum-signature": signature },
      { "X-BLUUM-SIGNATURE": signature },
      { "x-bluum-signature": [signature] },
      { "x-bluum-signature": ["0".repeat(64), signature] },
      new Headers({ "X-Bluum-Signature": signature }),
      new Headers([
        ["x-bluum-signature", "0".repeat(64)],
        ["x-bluum-signature", signature],
      ]),
    ];
    for (const form of forms)
      expect(verdict(await bench().receiver.receive({ ...delivery, headers: form }))).toBe("accepted");
    const absent = [{}, { "x-bluum-signature": undefined }, new Headers()];
    for (const form of absent)
      expect(verdict(await bench().receiver.receive({ ...delivery, headers: form }))).toBe("signature_missing");
  });
});

describe("a custom scheme", () => {
  it("that throws fails the delivery with 500, not the process", async () => {
    for (const part of ["read", "verify"] as const) {
      const scheme = { ...timestampedSignature({ header: "X-Sig" }), [part]: failing };
      const { receiver, lines } = bench({ scheme });
      const delivery = signed(anEvent(), { scheme: timestampedSignature({ header: "X-Sig" }) });
      expect(await receiver.handle(delivery)).toMatchObject({
        status: 500,
        body: '{"error":{"code":"receiver_failed"}}',
      });
      expect(lines).toMatchObject([{ level: "error", error: { message: "no id" } }]);
    }
  });

  const own = (part: "read" | "verify", answer: unknown) =>
    ({ ...timestampedSignature({ header: "X-Sig" }), [part]: () => answer }) as SignatureScheme;
  const delivered = () => signed(anEvent(), { scheme: timestampedSignature({ header: "X-Sig" }) });

  for (const [what, answer] of [
    ["false", false],
    ["true", true],
    ["undefined", undefined],
    ["null", null],
    ["an object that names no key", {}],
    ["the place of a key that does not exist", { secretIndex: 1 }],
    ["the -1 of a search that found none", { secretIndex: -1 }],
    ["half a key", { secretIndex: 0.5 }],
    ["a promise of a refusal", Promise.resolve("signature_mismatch")],
    ["a promise of a proof", Promise.resolve({ secretIndex: 0 })],
    ["a code that it does not have", "toString"],
  ] as const) {
    it(`that verifies with ${what} admits nothing`, async () => {
      const { receiver, lines } = bench({ scheme: own("verify", answer) });
      expect(verdict(await receiver.receive(delivered()))).toBe("receiver_failed");
      expect(lines).toMatchObject([{ level: "error", message: expect.stringContaining("signature scheme") }]);
    });
  }

  it("whose promise rejects admits nothing", async () => {
    for (const part of ["read", "verify"] as const) {
      const scheme = { ...own("read", {}), [part]: async () => failing() } as SignatureScheme;
      expect(verdict(await bench({ scheme }).receiver.receive(delivered()))).toBe("receiver_failed");
    }
  });

  it("that reads neither an object nor a code admits nothing", async () => {
    for (const answer of [undefined, null, true, 7, "mismatch"]) {
      const { receiver } = bench({ scheme: own("read", answer) });
      expect(verdict(await receiver.receive(delivered()))).toBe("receiver_failed");
    }
  });

  it("may present a function, and null as message id", async () => {
    const sound = timestampedSignature({ header: "X-Sig" });
    const presenting: SignatureScheme = {
      ...sound,
      read: (header) => {
        const read = sound.read(header);
        return typeof read === "string" ? read : () => read;
      },
      verify: (presented, body, keys, nowMs) => {
        const verified = sound.verify((presented as () => object)(), body, keys, nowMs);
        return typeof verified === "string" ? verified : { ...verified, messageId: null as unknown as string };
      },
    };
    expect(verdict(await bench({ scheme: presenting }).receiver.receive(delivered()))).toBe("accepted");
  });

  it("refuses with the code that it returns", async () => {
    for (const code of ["signature_mismatch", "timestamp_out_of_tolerance"]) {
      expect(verdict(await bench({ scheme: own("verify", code) }).receiver.receive(delivered()))).toBe(code);
    }
    expect(verdict(await bench({ scheme: own("read", "signature_missing") }).receiver.receive(delivered()))).toBe(
      "signature_missing",
    );
  });
});
