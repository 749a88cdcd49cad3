import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bluumSignature } from "../../src/bluum/signature.ts";
import type { Delivery } from "../../src/delivery.ts";
import { WebhookError, type WebhookErrorCode } from "../../src/index.ts";
import { diagnose } from "../../src/schemes/diagnosis.ts";
import { inFull, runs } from "../exhaustive.ts";
import { character } from "../unicode.ts";
import { faultyStore, rejects } from "./faulty-store.ts";
import { anEvent, bench, SECRET, signed } from "./receiving.ts";

function line(code: WebhookErrorCode, headers: Delivery["headers"] = {}): string {
  const delivery: Delivery = { method: "POST", headers, body: new Uint8Array() };
  return diagnose(new WebhookError(code, "what happened"), delivery, bluumSignature());
}

describe("the log line of a refused signature", () => {
  it("names the expected header and those that look like a signature", () => {
    const headers = {
      host: "x",
      "content-type": "y",
      "X-Hub-Signature-256": "v",
      "webhook-id": "v",
      "X-Body-Hmac": "v",
    };
    const text = line("signature_missing", headers);
    expect(text).toContain("expected X-Bluum-Signature: <hex HMAC-SHA256 of the raw body>");
    expect(text).toContain("headers that look like a signature: X-Hub-Signature-256, webhook-id, X-Body-Hmac.");
    expect(text).toMatch(/^signature_missing: what happened; .* See docs\/reference\/errors\.md#signature_missing$/);
  });

  it("says when no header looks like a signature", () => {
    for (const headers of [{ host: "x" }, new Headers({ host: "x" })]) {
      expect(line("signature_malformed", headers)).toContain("no header of the delivery looks like a signature");
    }
  });

  it("names at most eight headers", () => {
    const headers = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`x-signature-${n}`, "v"]));
    expect(line("signature_mismatch", headers)).toMatch(/x-signature-7 and 42 more\./);
    expect(line("signature_mismatch", headers)).not.toContain("x-signature-8");
  });

  it("is one line of printable text for any header names", inFull, () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: character, maxLength: 200 })), (names) => {
        const headers = Object.fromEntries(names.map((name) => [`signature${name}`, "v"]));
        const text = line("signature_mismatch", headers);
        expect(text).toMatch(/^[\x20-\x7e]+$/);
        expect(text.length).toBeLessThan(1_200);
      }),
      { numRuns: runs(25, 1_000) },
    );
  });
});

describe("the log line of a probe", () => {
  const probes = { "bluum-webhooks-probe": "1" };
  const forged = (headers: object = {}) => {
    const delivery = signed(anEvent(), { secret: "some-other-shared-secret" });
    return { ...delivery, headers: { ...delivery.headers, ...headers } };
  };

  it("says that it claims to be one, as the report does", async () => {
    const { receiver, lines, reports } = bench();
    expect(await receiver.handle(forged(probes))).toMatchObject({ status: 401 });
    expect(lines).toMatchObject([
      { level: "warn", message: expect.stringContaining("claims to be a probe of verifyMount") },
    ]);
    expect(lines[0]?.message).toContain("headers that look like a signature: X-Bluum-Signature;");
    expect(reports).toMatchObject([{ outcome: "rejected", code: "signature_mismatch", probe: true }]);
  });

  it("is counted apart from the lines of other deliveries", async () => {
    const { receiver, lines, reports } = bench();
    for (let n = 0; n < 3; n++) await receiver.handle(forged(probes));
    for (let n = 0; n < 3; n++) await receiver.handle(forged());
    await receiver.close();
    expect(lines.map(({ message }) => message.includes("claims to be"))).toEqual([true, false, false, false]);
    expect(lines.slice(2)).toMatchObject([
      { message: "bluum-webhooks: signature_mismatch (probe): and 2 more within a minute" },
      { message: "bluum-webhooks: signature_mismatch: and 2 more within a minute" },
    ]);
    expect(reports.map(({ probe }) => probe)).toEqual([true, true, true, undefined, undefined, undefined]);
  });

  it("is not written for a genuine delivery or a duplicate", async () => {
    const { receiver, lines, reports } = bench();
    let runs = 0;
    receiver.on("*", () => void runs++);
    const delivery = signed();
    const claiming = {
      ...delivery,
      headers: new Headers({ ...delivery.headers, ...probes } as Record<string, string>),
    };
    for (let n = 0; n < 2; n++) expect(await receiver.handle(claiming)).toMatchObject({ status: 200 });
    expect(runs).toBe(1);
    expect(lines).toEqual([]);
    expect(reports).toMatchObject([
      { outcome: "accepted", probe: true },
      { outcome: "duplicate", probe: true },
    ]);
  });

  it("is not written for another value of the header", async () => {
    const { receiver, lines, reports } = bench();
    await receiver.handle(forged({ "bluum-webhooks-probe": "0" }));
    expect(lines[0]?.message).not.toContain("probe of verifyMount");
    expect(reports[0]).not.toHaveProperty("probe");
  });
});

describe("the log line of another refusal", () => {
  it.each<[WebhookErrorCode, string]>([
    ["receiver_busy", "over 64 KiB"],
    ["event_too_old", "maxEventAgeMs"],
    ["body_too_large", "maxBodyBytes"],
    ["secret_unavailable", "secret function"],
    ["store_unavailable", "until the store is back"],
  ])("gives the remedy for %s: %s", (code, remedy) => {
    expect(line(code)).toContain(remedy);
  });

  it("names no headers", () => {
    expect(line("payload_not_json", { "x-signature": "v" })).toBe(
      "payload_not_json: what happened. See docs/reference/errors.md#payload_not_json",
    );
  });
});

describe("logs and reports", () => {
  const PAYLOAD = "PAYLOAD-9c1f";
  const HEADER = "HEADER-VALUE-77aa";

  /** Deliveries that fail in every way that a sender can cause, with recognisable text everywhere. */
  function failures(): Delivery[] {
    const body = JSON.stringify({ ...anEvent(), note: PAYLOAD });
    const genuine = signed(body);
    const forged = signed(body, { secret: "some-other-shared-secret" });
    const noise = { "x-api-signature": HEADER, authorization: HEADER };
    return [
      { ...genuine, method: "PUT" },
      { ...genuine, headers: noise },
      { ...genuine, headers: { ...noise, "x-bluum-signature": HEADER } },
      { ...forged, headers: { ...forged.headers, ...noise } },
      { ...genuine, headers: { ...genuine.headers, ...noise, "content-encoding": HEADER } },
      { ...genuine, body: body as unknown as Uint8Array },
      { ...genuine, body: () => Promise.reject(new Error("reset")) },
      signed(`${PAYLOAD}{`),
      signed(`["${PAYLOAD}"]`),
      signed(new Uint8Array([...new TextEncoder().encode(PAYLOAD), 0xff])),
      signed({ ...anEvent(), timestamp: "2001-01-01T00:00:00Z", note: PAYLOAD }),
      signed({ ...anEvent("unheard.of"), note: PAYLOAD }),
      signed({ ...anEvent("order.filled"), note: PAYLOAD }),
      signed("x".repeat(20_000) + PAYLOAD),
    ];
  }

  it("hold no secret, signature, header value or part of a payload", async () => {
    const broken = faultyStore();
    broken.break("claim", rejects);
    const secretsThatFail = { secret: () => [SECRET, "short"] };
    for (const options of [
      {},
      { store: broken, namespace: "a" },
      secretsThatFail,
      { onUnhandled: "reject" as const },
    ]) {
      const { receiver, lines, reports } = bench({ maxBodyBytes: 10_000, ...options });
      receiver.on("order.filled", () => {
        throw new Error("the handler's own");
      });
      const deliveries = failures();
      for (const delivery of deliveries) await receiver.handle(delivery);
      const said = inspect([lines, reports], { depth: 20, maxStringLength: null });
      const signatures = deliveries.map(({ headers }) => (headers as Record<string, string>)["X-Bluum-Signature"]);
      for (const kept of [SECRET, PAYLOAD, HEADER, ...signatures.filter((one) => one !== undefined)])
        expect(said).not.toContain(kept);
      expect(reports).toHaveLength(deliveries.length);
      expect(lines.length).toBeGreaterThan(0);
    }
  });

  it("have one line a minute for each code", async () => {
    const { receiver, lines } = bench();
    for (let n = 0; n < 100; n++) await receiver.receive(signed(anEvent(), { secret: "some-other-shared-secret" }));
    expect(lines).toHaveLength(1);
  });

  it("leave out a wrong method", async () => {
    const { receiver, lines } = bench();
    await receiver.receive({ ...signed(), method: "GET" });
    expect(lines).toEqual([]);
  });
});
