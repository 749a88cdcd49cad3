import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { BluumApiError, createBluumClient } from "../../src/client/index.ts";
import {
  API_KEY,
  API_SECRET,
  clientOf,
  failing,
  hangUp,
  json,
  type Misbehaviour,
  silent,
  startBluum,
} from "./bluum-server.ts";

const noRetry = { retries: 0 };

async function failureOf(promise: Promise<unknown>): Promise<BluumApiError> {
  const error = await promise.then(
    () => undefined,
    (error) => error,
  );
  expect(error).toBeInstanceOf(BluumApiError);
  return error as BluumApiError;
}

describe("a refusal by Bluum", () => {
  it.each([
    [400, "validation"],
    [401, "bad_credentials"],
    [403, "wrong_scope"],
    [404, "not_found"],
    [409, "validation"],
    [422, "validation"],
    [429, "rate_limited"],
    [500, "server"],
    [503, "server"],
    [418, "unexpected_answer"],
  ])("with %i is %s, with Bluum's code and the request's id", async (status, code) => {
    const server = await startBluum();
    server.next.push(failing(status));
    expect(await failureOf(clientOf(server, noRetry).webhooks.list())).toMatchObject({
      ...{ code, status, bluumCode: `BLUM-${status}-001`, bluumType: "some_error", param: "url" },
      ...{ requestId: "req_1", operation: "webhooks.list" },
      message: expect.stringMatching(new RegExp(`^webhooks\\.list: Bluum answered ${status}: No`)),
    });
  });

  it("in the older form is read, too", async () => {
    const server = await startBluum();
    const error = await failureOf(clientOf(server).webhooks.delete("wh_unknown"));
    expect(error).toMatchObject({ code: "not_found", bluumCode: "BLUM-404", status: 404 });
    expect(error.message).toContain("There is no such webhook");
  });

  it("of an investor's key names the tenant-wide key", async () => {
    const server = await startBluum();
    server.next.push(failing(403));
    expect((await failureOf(clientOf(server).eventTypes())).message).toContain("needs a tenant-wide API key");
  });

  it("with a status of success is still an error", async () => {
    const server = await startBluum();
    server.next.push((_request, response) => json(response, 200, { status: "error", code: "BLUM-1", message: "No." }));
    const call = clientOf(server).webhooks.create({ name: "n", url: "https://a.example", eventTypeNames: ["order.*"] });
    expect(await failureOf(call)).toMatchObject({
      code: "unexpected_answer",
      bluumCode: "BLUM-1",
      mayHaveHappened: true,
    });
  });

  it("becomes one short line without control characters", async () => {
    const server = await startBluum();
    server.next.push(failing(400, {}, `a\u001b[2J\n\u009bK\u202eb${"x".repeat(5_000)}`));
    const { message } = await failureOf(clientOf(server).webhooks.list());
    expect(message).not.toMatch(/\p{C}/u);
    expect(message.length).toBeLessThan(400);
  });
});

describe("credentials and secrets", () => {
  const basic = Buffer.from(`${API_KEY}:${API_SECRET}`).toString("base64");
  const echo = `${API_KEY} ${API_SECRET} ${basic} ${encodeURIComponent(API_SECRET)} whsec_c2VjcmV0IG9mIHRoZSBob29r`;
  const ways: Record<string, Misbehaviour> = {
    "an error that quotes them": failing(400, { "x-request-id": echo }, echo),
    "an error of the server that quotes them": failing(500, {}, echo),
    "a redirect that quotes them": (_request, response) =>
      response.writeHead(302, { location: `https://${API_KEY}:x@b.example/${basic}` }).end(),
    "a created webhook in broken JSON": (_request, response) =>
      response.writeHead(201).end('{"id":"wh_1","secret":"whsec_c2VjcmV0IG9mIHRoZSBob29r",'),
    "a created webhook without an id": (_request, response) =>
      json(response, 201, { secret: "whsec_c2VjcmV0IG9mIHRoZSBob29r" }),
    "a broken connection": hangUp,
    silence: silent,
  };

  it.each(Object.keys(ways))("are not in the error for %s", async (way) => {
    const server = await startBluum();
    server.next.push(ways[way] as Misbehaviour);
    const { webhooks } = clientOf(server, { retries: 0, timeoutMs: 1_000 });
    const error = await failureOf(
      webhooks.create({ name: "n", url: "https://a.example", eventTypeNames: ["order.*"] }),
    );
    const shown = [
      inspect(error, { depth: 20, showHidden: true }),
      JSON.stringify(error),
      `${error}`,
      `${error.stack}`,
      ...Object.getOwnPropertyNames(error).map((name) => inspect(error[name as "message"], { depth: 20 })),
    ].join("\n");
    for (const secret of [API_KEY, API_SECRET, basic, encodeURIComponent(API_SECRET), "c2VjcmV0", "authorization"])
      expect(shown).not.toContain(secret);
    expect(error.cause).toBeUndefined();
    expect(server.requests).toHaveLength(1);
  });

  it("are not in a printed client or in a configuration error", async () => {
    const options = { apiKey: API_KEY, apiSecret: API_SECRET, env: {} };
    const client = createBluumClient({ ...options, baseUrl: "sandbox" });
    expect(inspect(client, { depth: 20, showHidden: true })).not.toContain(API_SECRET);
    for (const wrong of [
      { baseUrl: `https://${API_KEY}:${API_SECRET}@b.example` },
      { apiKey: ` ${API_KEY}` },
      { timeoutMs: 0 },
    ]) {
      try {
        createBluumClient({ ...options, baseUrl: "sandbox", ...wrong });
        expect.unreachable();
      } catch (error) {
        expect(inspect(error)).not.toContain(API_KEY);
        expect(error).toMatchObject({ code: "configuration_invalid" });
      }
    }
  });
});
