import { request } from "node:http";
import { describe, expect, it } from "vitest";
import type { Credentials, Sandbox } from "../../src/sandbox/index.ts";
import { recordingEndpoint, sandboxed } from "./endpoints.ts";

const WEBHOOK = { name: "mine", url: "https://example.com/hook", eventTypeNames: ["order.*", "kyc.*"] };

interface Call {
  readonly by?: Credentials;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

async function call(
  sandbox: Sandbox,
  method: string,
  path: string,
  { by = sandbox.credentials, body, headers }: Call = {},
) {
  const authorization = `Basic ${btoa(`${by.apiKey}:${by.apiSecret}`)}`;
  const response = await fetch(sandbox.baseUrl + path, {
    method,
    headers: { authorization, ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, value: await response.json() };
}

describe("the management API", () => {
  it("refuses wrong credentials with 401 and an investor's with 403, on every call", async () => {
    const sandbox = await sandboxed();
    const calls = [
      ["GET", "/webhooks"],
      ["POST", "/webhooks"],
      ["GET", "/webhooks/event-types"],
      ["PATCH", "/webhooks/x"],
      ["DELETE", "/webhooks/x"],
    ];
    for (const [method = "", path = ""] of calls) {
      const wrong = await call(sandbox, method, path, { by: { ...sandbox.credentials, apiSecret: "x" } });
      expect(wrong).toMatchObject({
        status: 401,
        value: { error: { type: "authentication_error", code: "BLUM-401-001" } },
      });
      expect(wrong.headers.get("www-authenticate")).toMatch(/^Basic /);
      expect((await call(sandbox, method, path, { by: sandbox.investorCredentials })).status).toBe(403);
    }
    expect((await fetch(`${sandbox.baseUrl}/webhooks`)).status).toBe(401);
  });

  it("lists all webhooks if the list's shape cannot say that there are more", async () => {
    const sandbox = await sandboxed();
    for (let count = 0; count < 60; count += 1) await sandbox.endpoint({ url: "https://example.com/" });
    expect((await call(sandbox, "GET", "/webhooks")).value.data.webhooks).toHaveLength(60);
  });

  it("gives every answer its own request id", async () => {
    const sandbox = await sandboxed();
    const ids = [await call(sandbox, "GET", "/webhooks"), await call(sandbox, "GET", "/nowhere")].map(({ headers }) =>
      headers.get("x-request-id"),
    );
    expect(ids[0]).toMatch(/^req_/);
    expect(ids[1]).toMatch(/^req_/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it("lists the event types", async () => {
    const { value } = await call(await sandboxed(), "GET", "/webhooks/event-types");
    expect(value.status).toBe("success");
    expect(value.data.eventTypes).toContainEqual({
      name: "transfer.deposit.completed",
      description: "Transfer deposit completed",
      version: "1.0",
    });
  });

  it("registers, changes and removes an endpoint", async () => {
    const { url, arrived } = await recordingEndpoint();
    const sandbox = await sandboxed();
    const created = await call(sandbox, "POST", "/webhooks", { body: { ...WEBHOOK, url } });
    expect(created.status).toBe(201);
    const { id, secret } = created.value.data.webhook;
    expect(sandbox.secrets(id)).toEqual([secret]);
    const sendAndCount = async () => {
      await sandbox.send("order.filled");
      await sandbox.settled();
      return arrived.length;
    };
    expect(await sendAndCount()).toBe(1);
    await call(sandbox, "PATCH", `/webhooks/${id}`, { body: { status: "INACTIVE" } });
    expect(await sendAndCount()).toBe(1);
    const changed = await call(sandbox, "PATCH", `/webhooks/${id}`, {
      body: { status: "ACTIVE", eventTypeNames: ["*"] },
    });
    expect(changed.value.data.webhook).toMatchObject({
      id,
      name: "mine",
      url,
      status: "ACTIVE",
      eventTypes: [{ name: "*" }],
    });
    expect(await sendAndCount()).toBe(2);
    expect((await call(sandbox, "DELETE", `/webhooks/${id}`)).status).toBe(200);
    expect(await sendAndCount()).toBe(2);
    expect((await call(sandbox, "DELETE", `/webhooks/${id}`)).status).toBe(404);
  });

  it.each([
    [{ name: undefined }, "name"],
    [{ url: undefined }, "url"],
    [{ eventTypeNames: undefined }, "eventTypeNames"],
    [{ eventTypeNames: [] }, "eventTypeNames"],
    [{ eventTypeNames: "order.filled" }, "eventTypeNames"],
    [{ eventTypeNames: ["order.fulfilled"] }, "eventTypeNames"],
    [{ eventTypeNames: ["orders.*"] }, "eventTypeNames"],
    [{ eventTypeNames: [{}] }, "eventTypeNames"],
    [{ events: ["order.filled"] }, "events"],
    [{ url: "http://example.com/" }, "url"],
    [{ url: "ftp://localhost/" }, "url"],
    [{ url: "/hook" }, "url"],
    [{ url: "https://me:secret@example.com/" }, "url"],
    [{ status: "active" }, "status"],
    [{ description: 7 }, "description"],
  ])("refuses %j, naming the field", async (change, param) => {
    const sandbox = await sandboxed();
    const { status, value } = await call(sandbox, "POST", "/webhooks", { body: { ...WEBHOOK, ...change } });
    expect(status).toBe(400);
    expect(value.error).toMatchObject({ type: "invalid_request_error", code: "BLUM-400-001", param });
    expect(sandbox.endpoints()).toEqual([]);
  });

  it.each([
    "https://example.com/",
    "http://localhost:1/",
    "http://127.0.0.1:1/",
    "http://[::1]:1/",
    "http://app.localhost/",
  ])("takes %s", async (url) => {
    expect((await call(await sandboxed(), "POST", "/webhooks", { body: { ...WEBHOOK, url } })).status).toBe(201);
  });

  it.each([
    ["no JSON", "{", {}, 400],
    ["a list", "[]", {}, 400],
    ["a text that is not declared JSON", "{}", { "content-type": "text/plain" }, 400],
    ["half a megabyte and more", JSON.stringify({ name: "x".repeat(600_000) }), {}, 413],
  ])("refuses %s", async (_, body, headers, status) => {
    expect((await call(await sandboxed(), "POST", "/webhooks", { body, headers })).status).toBe(status);
  });

  it("lists the allowed methods", async () => {
    const answer = await call(await sandboxed(), "GET", "/webhooks/wh_1");
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe("PATCH, DELETE");
  });

  it("answers a request target that is not a URL", async () => {
    const sandbox = await sandboxed();
    for (const path of ["//", "/v1/%", "http://[", "*"]) {
      const answer = await new Promise((resolve, reject) => {
        request(sandbox.url, { path }, (response) => resolve(response.resume().statusCode))
          .on("error", reject)
          .end();
      });
      expect(answer).toBeGreaterThanOrEqual(400);
    }
  });
});

describe("a list", () => {
  it("comes in pages of at most 200", async () => {
    const sandbox = await sandboxed({ responseShape: "flat" });
    for (let made = 0; made < 5; made += 1) await sandbox.endpoint({ url: `https://example.com/${made}` });
    const { value } = await call(sandbox, "GET", "/webhooks?limit=2&offset=1");
    expect(value).toMatchObject({ object: "list", url: "/v1/webhooks", has_more: true });
    expect(value.data.map(({ url }: { url: string }) => url)).toEqual([
      "https://example.com/1",
      "https://example.com/2",
    ]);
    expect((await call(sandbox, "GET", "/webhooks?limit=2&offset=3")).value.has_more).toBe(false);
    for (const query of ["limit=201", "limit=0", "limit=x", "offset=-1", "offset=1.5"]) {
      expect((await call(sandbox, "GET", `/webhooks?${query}`)).status).toBe(400);
    }
  });
});

describe("the published shapes", () => {
  const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
  const secret = expect.stringMatching(/^whsec_/);

  it("flat", async () => {
    const sandbox = await sandboxed({ responseShape: "flat" });
    const { value } = await call(sandbox, "POST", "/webhooks", { body: WEBHOOK });
    const webhook = {
      id: value.id,
      object: "webhook",
      url: WEBHOOK.url,
      event_type_names: WEBHOOK.eventTypeNames,
      status: "active",
      created_at: at,
    };
    expect(value).toEqual({ ...webhook, id: expect.stringMatching(/^wh_/), secret });
    expect((await call(sandbox, "GET", "/webhooks")).value.data).toEqual([webhook]);
    expect((await call(sandbox, "DELETE", `/webhooks/${value.id}`)).value).toEqual({
      id: value.id,
      object: "webhook",
      deleted: true,
    });
  });

  it("wrapped", async () => {
    const sandbox = await sandboxed({ responseShape: "wrapped" });
    const { value } = await call(sandbox, "POST", "/webhooks", { body: WEBHOOK });
    const webhook = { webhook_id: expect.stringMatching(/^wh_/), ...WEBHOOK, status: "ACTIVE", created_at: at };
    expect(value).toEqual({ status: "success", message: "Webhook created", data: { webhook: { ...webhook, secret } } });
    expect((await call(sandbox, "GET", "/webhooks")).value).toEqual({
      status: "success",
      data: { webhooks: [webhook] },
    });
  });

  it("detailed", async () => {
    const sandbox = await sandboxed();
    const { value } = await call(sandbox, "POST", "/webhooks", { body: { ...WEBHOOK, description: "d" } });
    const { eventTypeNames, ...rest } = WEBHOOK;
    const eventTypes = eventTypeNames.map((name) => ({ id: expect.any(String), name }));
    const webhook = {
      id: expect.stringMatching(/^wh_/),
      ...rest,
      description: "d",
      status: "ACTIVE",
      secret,
      eventTypes,
      createdAt: at,
      updatedAt: at,
    };
    expect(value).toEqual({ status: "success", data: { webhook } });
    expect((await call(sandbox, "GET", "/webhooks")).value.data.webhooks).toEqual([webhook]);
  });

  it("of lists and errors are independent of the webhook's shape", async () => {
    const sandbox = await sandboxed({ listShape: "list", errorShape: "flat" });
    expect((await call(sandbox, "GET", "/webhooks")).value).toMatchObject({ object: "list", data: [] });
    expect((await call(sandbox, "PATCH", "/webhooks/wh_1", { body: {} })).value).toEqual({
      status: "error",
      code: "BLUM-404-001",
      message: "There is no such webhook",
    });
  });
});
