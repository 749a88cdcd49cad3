import { generateKeyPairSync, type KeyObject } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replyTo } from "../../src/adapter.ts";
import type { Delivery } from "../../src/delivery.ts";
import {
  bluumSignature,
  hmacSignature,
  type Outcome,
  type SignatureScheme,
  standardWebhooksSignature,
  timestampedSignature,
} from "../../src/index.ts";
import { inFull, runs } from "../exhaustive.ts";
import { character } from "../unicode.ts";
import { bench, SECRET } from "./receiving.ts";

const NOW = 1_750_000_000_000;
const STATUSES = [200, 400, 401, 405, 408, 413, 415, 500, 503];
const KINDS: Outcome["kind"][] = ["accepted", "duplicate", "in_flight", "ping", "rejected"];

interface Subject {
  readonly scheme: SignatureScheme;
  /** What signs, and what verifies. */
  readonly secret: string;
  readonly verifying: string;
  /** The raw signature in the value of the signature header, and the value with another in its place. */
  readonly header: string;
  readonly encoding: "hex" | "base64";
}

function raw(key: KeyObject, type: "spki" | "pkcs8"): string {
  const der = key.export({ format: "der", type: type as "spki" });
  return der.subarray(-32).toString("base64");
}

const pair = generateKeyPairSync("ed25519");
const shared = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const standard = standardWebhooksSignature();

const SUBJECTS: Record<string, Subject> = {
  bluum: { scheme: bluumSignature(), secret: SECRET, verifying: SECRET, header: "X-Bluum-Signature", encoding: "hex" },
  "base64 HMAC-SHA512": {
    scheme: hmacSignature({ header: "X-Sig", algorithm: "sha512", encoding: "base64", prefix: "v0=" }),
    secret: SECRET,
    verifying: SECRET,
    header: "X-Sig",
    encoding: "base64",
  },
  timestamped: {
    scheme: timestampedSignature({ header: "X-Sig" }),
    secret: SECRET,
    verifying: SECRET,
    header: "X-Sig",
    encoding: "hex",
  },
  "Standard Webhooks v1": {
    scheme: standard,
    secret: shared,
    verifying: shared,
    header: "webhook-signature",
    encoding: "base64",
  },
  "Standard Webhooks v1a": {
    scheme: standard,
    secret: `whsk_${raw(pair.privateKey, "pkcs8")}`,
    verifying: `whpk_${raw(pair.publicKey, "spki")}`,
    header: "webhook-signature",
    encoding: "base64",
  },
};

/** A receiver of this scheme, with handlers, that writes nothing to the console. */
function receiverOf({ scheme, verifying }: Subject, more: object = {}) {
  const { receiver } = bench({ scheme, secret: verifying, now: () => NOW, ...more });
  receiver.on("*", () => {}).on("order.*", () => {});
  return receiver;
}

function sign({ scheme, secret }: Subject, body: Uint8Array): Record<string, string> {
  return scheme.sign({ secret, body, messageId: "msg_1", nowMs: NOW });
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = (bit >> 3) % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** The signature at the end of the header's value, decoded. */
function decoded({ encoding }: Subject, value: string): Uint8Array {
  return Buffer.from(/[0-9a-z+/]+=*$/i.exec(value)?.[0] ?? "", encoding);
}

function withSignature({ encoding }: Subject, value: string, signature: Uint8Array): string {
  return value.replace(/[0-9a-z+/]+=*$/i, Buffer.from(signature).toString(encoding));
}

/** A long text of one character: one of random characters takes long to make. */
function long(min: number, max: number): fc.Arbitrary<string> {
  return fc.integer({ min, max }).map((length) => "0".repeat(length));
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const eventBody = fc
  .record({
    event: fc.constantFrom("order.filled", "a.b"),
    data: fc.jsonValue({ maxDepth: 2 }),
    id: fc.option(fc.string()),
  })
  .map((event) => utf8(JSON.stringify(event)));

/** JSON in the shapes of an envelope, and in others. */
const envelope = fc.record(
  {
    event: fc.oneof(
      fc.constantFrom("order.filled", "bluum-webhooks.ping", "", "*", "order.*", "__proto__", "constructor"),
      fc.string({ unit: character }),
      fc.jsonValue(),
    ),
    type: fc.oneof(fc.string(), fc.jsonValue()),
    id: fc.oneof(
      fc.string({ unit: character }),
      long(5_000, 10_000),
      fc.constantFrom("ord_1", "\ud800", "\0", ":", ""),
      fc.jsonValue(),
    ),
    event_id: fc.oneof(fc.string(), fc.jsonValue()),
    object: fc.oneof(fc.constantFrom("order", "event"), fc.jsonValue()),
    data: fc.jsonValue(),
    timestamp: fc.oneof(
      fc.date().map((date) => JSON.stringify(date)),
      fc.string(),
      fc.jsonValue(),
    ),
    created: fc.oneof(fc.double(), fc.jsonValue()),
    __proto__: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const anyBody = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.json().map(utf8),
  fc.string({ unit: character }).map(utf8),
  envelope.map((value) => utf8(JSON.stringify(value))),
);

describe.each(Object.entries(SUBJECTS))("the pipeline under %s", (_, subject) => {
  it("accepts a signed body", inFull, async () => {
    await fc.assert(
      fc.asyncProperty(eventBody, async (body) => {
        const outcome = await receiverOf(subject).receive({ method: "POST", headers: sign(subject, body), body });
        expect(outcome).toMatchObject({ kind: "accepted", context: { rawBody: body } });
      }),
      { numRuns: runs(20, 500) },
    );
  });

  it("never accepts a body with a flipped bit, or a shorter or longer one", inFull, async () => {
    const receiver = receiverOf(subject);
    await fc.assert(
      fc.asyncProperty(eventBody, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 }), async (body, bit, more) => {
        const headers = sign(subject, body);
        const changed = [
          flipped(body, bit),
          body.subarray(0, -1),
          body.subarray(1),
          Buffer.concat([body, more]),
          Buffer.concat([more, body]),
          new Uint8Array(),
        ];
        for (const wrong of changed) {
          expect(await receiver.receive({ method: "POST", headers, body: wrong })).toMatchObject({
            error: { code: "signature_mismatch" },
          });
        }
      }),
      { numRuns: runs(30, 1_000) },
    );
  });

  it("never accepts a signature with a flipped bit", async () => {
    const receiver = receiverOf(subject);
    const body = utf8('{"event":"order.filled"}');
    const headers = sign(subject, body);
    const value = headers[subject.header] ?? "";
    const signature = decoded(subject, value);
    expect(withSignature(subject, value, signature)).toBe(value);
    for (let bit = 0; bit < signature.length * 8; bit++) {
      const wrong = { ...headers, [subject.header]: withSignature(subject, value, flipped(signature, bit)) };
      expect(await receiver.receive({ method: "POST", headers: wrong, body })).toMatchObject({
        error: { code: "signature_mismatch" },
      });
    }
  });

  it("never accepts signed headers with a flipped bit, unless they decode to the same", async () => {
    const body = utf8('{"event":"order.filled"}');
    const headers = sign(subject, body);
    const receiver = receiverOf(subject);
    for (const [name, value] of Object.entries(headers)) {
      for (let bit = 0; bit < value.length * 8; bit++) {
        const wrong = Buffer.from(flipped(Buffer.from(value, "latin1"), bit)).toString("latin1");
        const outcome = await receiver.receive({
          method: "POST",
          headers: { ...headers, [name]: wrong },
          body,
        });
        if (outcome.kind === "rejected") continue;
        // A hex digit in the other case, or bits that base64 does not use.
        expect([name, decoded(subject, wrong)]).toEqual([subject.header, decoded(subject, value)]);
      }
    }
  });

  const known = [
    "webhook-id",
    "webhook-timestamp",
    "svix-id",
    "content-encoding",
    "content-length",
    "constructor",
    subject.header,
  ];
  const headerName = fc.oneof(
    fc.constantFrom(...known),
    fc.string(),
    fc.constantFrom(...known).map((name) => name.toUpperCase()),
  );
  const signatureLike = fc.oneof(
    fc.string({ unit: character, maxLength: 100 }),
    fc.string({
      unit: fc.constantFrom(
        "t=",
        "v1",
        "v1=",
        "v1,",
        "v1a,",
        ",",
        " ",
        "1750000000",
        "=",
        "sha256=",
        "0".repeat(64),
        "A".repeat(43),
        "\0",
      ),
    }),
    long(8_000, 9_000),
  );
  const headerValue = fc.oneof(signatureLike, fc.array(signatureLike, { maxLength: 20 }), fc.constant(undefined));

  it("refuses any headers with any body", inFull, async () => {
    const receiver = receiverOf(subject);
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(headerName, headerValue),
        anyBody,
        fc.constantFrom("POST", "GET", "", "\0"),
        async (headers, body, method) => {
          const outcome = await receiver.receive({ method, headers, body });
          expect(outcome.kind).toBe("rejected");
          expect(STATUSES).toContain(replyTo(outcome).status);
        },
      ),
      { numRuns: runs(50, 2_000) },
    );
  });

  it("answers any signed body with any other headers", inFull, async () => {
    const receiver = receiverOf(subject);
    const beside = fc.dictionary(fc.string({ maxLength: 10 }), headerValue, { maxKeys: 5 });
    await fc.assert(
      fc.asyncProperty(anyBody, beside, async (body, more) => {
        const delivery: Delivery = { method: "POST", headers: { ...more, ...sign(subject, body) }, body };
        const outcome = await receiver.receive(delivery);
        expect(KINDS).toContain(outcome.kind);
        if (outcome.kind === "rejected")
          expect(outcome.error.code).toMatch(/^(payload_not_(utf8|json|event)|event_too_old)$/);
        if (outcome.kind === "accepted") await outcome.settle("failed");
        const reply = await receiver.handle(delivery);
        expect([200, 400]).toContain(reply.status);
        expect(() => JSON.parse(reply.body)).not.toThrow();
      }),
      { numRuns: runs(50, 2_000) },
    );
  });
});

describe("a delivery of wrong types", () => {
  it("is refused", async () => {
    const { receiver } = bench();
    const anything = fc.anything({ withTypedArray: true, withNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(anything, anything, anything, async (method, headers, body) => {
        const wrong = { method, headers, body } as unknown as Delivery;
        expect((await receiver.receive(wrong)).kind).toBe("rejected");
        expect((await receiver.receive({ ...wrong, method: "POST" })).kind).toBe("rejected");
      }),
    );
  });
});
