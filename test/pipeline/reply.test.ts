import { describe, expect, it } from "vitest";
import { refusal, replyTo } from "../../src/adapter.ts";
import { type Outcome, type Settled, WebhookError, type WebhookErrorCode } from "../../src/index.ts";
import { replyToSettled } from "../../src/pipeline/reply.ts";

/** The answers table. */
const STATUS: Record<WebhookErrorCode, number> = {
  signature_missing: 401,
  signature_malformed: 401,
  signature_mismatch: 401,
  timestamp_out_of_tolerance: 401,
  payload_not_utf8: 400,
  payload_not_json: 400,
  payload_not_event: 400,
  event_too_old: 400,
  method_not_allowed: 405,
  body_too_large: 413,
  content_encoding_unsupported: 415,
  body_timeout: 408,
  body_incomplete: 408,
  body_already_parsed: 500,
  receiver_busy: 503,
  store_unavailable: 503,
  secret_unavailable: 503,
  inbox_unavailable: 503,
  inbox_full: 503,
  receiver_closed: 503,
  event_in_flight: 503,
  receiver_failed: 500,
  handler_failed: 500,
  handler_timeout: 503,
  no_handlers: 500,
  unhandled: 500,
  event_type_failed: 500,
  event_id_failed: 500,
  completion_rolled_back: 500,
  configuration_invalid: 500,
  registration_refused: 500,
  middleware_missing: 500,
  claim_lost: 500,
  inbox_message_invalid: 500,
  mount_broken: 500,
};
const CODES = Object.entries(STATUS) as [WebhookErrorCode, number][];
const USAGE = [
  "configuration_invalid",
  "registration_refused",
  "middleware_missing",
  "claim_lost",
  "inbox_message_invalid",
  "mount_broken",
];

function rejected(error: WebhookError): Outcome {
  return { kind: "rejected", error };
}

describe("the answer to a rejection", () => {
  it.each(CODES)("of %s is %i, with the code and nothing else", (code, status) => {
    const reply = replyTo(rejected(new WebhookError(code, "secret detail", { cause: new Error("more detail") })));
    const shown = USAGE.includes(code) ? "receiver_failed" : code;
    expect(reply).toMatchObject({ status, body: JSON.stringify({ error: { code: shown } }) });
    expect(refusal(code)).toEqual(reply);
    expect(JSON.stringify(reply)).not.toContain("detail");
  });

  it.each(CODES)("of %s (%i) is JSON, has Retry-After on 503 alone and Allow on 405 alone", (code, status) => {
    const expected: Record<string, string> = { "content-type": "application/json" };
    if (status === 503) expected["retry-after"] = "5";
    if (status === 405) expected.allow = "POST";
    expect(refusal(code).headers).toEqual(expected);
  });

  it.each([
    [0, "1"],
    [-5, "1"],
    [1, "1"],
    [1_000, "1"],
    [1_001, "2"],
    [29_999.5, "30"],
  ])("with a retry after %d ms says %s seconds", (retryAfterMs, seconds) => {
    const error = new WebhookError("store_unavailable", "", { retryAfterMs });
    expect(replyTo(rejected(error)).headers["retry-after"]).toBe(seconds);
    expect(replyTo({ kind: "in_flight", eventId: "e", retryAfterMs }).headers["retry-after"]).toBe(seconds);
  });

  it("of an unknown code is receiver_failed", () => {
    for (const code of ["toString", "__proto__", "future_code"]) {
      expect(refusal(code as WebhookErrorCode)).toMatchObject({
        status: 500,
        body: '{"error":{"code":"receiver_failed"}}',
      });
    }
  });
});

describe("the answer to any other outcome", () => {
  const json = { "content-type": "application/json" };

  it("is 200 when the event needs no more deliveries", () => {
    expect(replyTo({ kind: "accepted" } as Outcome)).toEqual({ status: 200, headers: json, body: '{"received":true}' });
    expect(replyTo({ kind: "ping" })).toEqual({ status: 200, headers: json, body: '{"received":true,"ping":true}' });
    const duplicate = replyTo({ kind: "duplicate", eventId: "evt_1" });
    expect(duplicate).toEqual({ status: 200, headers: json, body: '{"received":true,"duplicate":true}' });
  });

  it("is 503 while the event is in flight, with the rest of the lease", () => {
    expect(replyTo({ kind: "in_flight", eventId: "evt_1", retryAfterMs: 12_345 })).toEqual({
      status: 503,
      headers: { ...json, "retry-after": "13" },
      body: '{"error":{"code":"event_in_flight"}}',
    });
  });
});

describe("the reply that replaces a 2xx after settling", () => {
  it.each<[Settled, string | undefined]>([
    ["stored", undefined],
    ["released", undefined],
    ["unstored", undefined],
    ["held_by_another", "event_in_flight"],
    ["completed_by_another", '"duplicate":true'],
    ["rolled_back", "completion_rolled_back"],
  ])("%s: %s", (settled, shown) => {
    const reply = replyToSettled(settled);
    if (shown === undefined) expect(reply).toBeUndefined();
    else expect(reply?.body).toContain(shown);
    expect(reply?.status).toBe(
      { held_by_another: 503, completed_by_another: 200, rolled_back: 500 }[settled as string],
    );
  });
});
