import { describe, expect, it } from "vitest";
import { createReceiver } from "../../src/index.ts";
import {
  type BluumServer,
  clientOf,
  FORMS,
  failing,
  hangUp,
  type Misbehaviour,
  silent,
  startBluum,
} from "./bluum-server.ts";

const URL = "https://example.com/hook";
const WANTED = { url: URL, eventTypeNames: ["order.filled", "transfer.*"] };
const THERE = { id: "wh_there", url: URL, name: "orders", eventTypeNames: ["transfer.*", "order.filled"] };

describe.each(FORMS)("ensure, with answers in the form %s", (form) => {
  it("creates a missing webhook named by host and path, and changes nothing the second time", async () => {
    const server = await startBluum({ form, webhooks: [{}] });
    const { webhooks } = clientOf(server);
    const first = await webhooks.ensure(WANTED);
    expect(first).toMatchObject({
      action: "created",
      changed: [],
      webhook: { ...WANTED, name: "example.com/hook" },
      duplicates: [],
    });
    expect(first.webhook.secret).toBe(server.webhooks[1]?.secret);
    expect(await webhooks.ensure(WANTED)).toMatchObject({
      action: "unchanged",
      changed: [],
      webhook: { id: first.webhook.id },
    });
    expect(server.webhooks).toHaveLength(2);
    expect(writesTo(server)).toEqual(["POST /v1/webhooks"]);
  });

  it("changes what differs and nothing else", async () => {
    const server = await startBluum({ form, webhooks: [{ ...THERE, eventTypeNames: ["account.created"] }] });
    const { webhooks } = clientOf(server);
    const ensured = await webhooks.ensure({ ...WANTED, name: "other", description: "d" });
    expect(ensured).toMatchObject({
      action: "updated",
      changed: ["eventTypeNames", "name", "description"],
      webhook: WANTED,
    });
    expect(server.requests.at(-1)).toMatchObject({
      method: "PATCH",
      body: { eventTypeNames: WANTED.eventTypeNames, name: "other", description: "d" },
    });
    expect(await webhooks.ensure({ ...WANTED, name: "other", description: "d" })).toMatchObject({
      action: "unchanged",
    });
  });

  it("ignores the order of subscriptions, and keeps the name if none is given", async () => {
    const server = await startBluum({ form, webhooks: [THERE] });
    expect(await clientOf(server).webhooks.ensure(WANTED)).toMatchObject({
      action: "unchanged",
      webhook: { id: "wh_there" },
    });
    expect(writesTo(server)).toEqual([]);
  });

  it("makes an inactive webhook active again", async () => {
    const server = await startBluum({ form, webhooks: [{ ...THERE, status: "INACTIVE" }] });
    expect(await clientOf(server).webhooks.ensure(WANTED)).toMatchObject({
      ...{ action: "updated", changed: ["status"] },
      webhook: { status: "ACTIVE" },
    });
    expect(server.requests.at(-1)?.body).toEqual({ status: "ACTIVE" });
  });

  it("leaves it inactive with activate: false", async () => {
    const server = await startBluum({ form, webhooks: [{ ...THERE, status: "INACTIVE" }] });
    expect(await clientOf(server).webhooks.ensure({ ...WANTED, activate: false })).toMatchObject({
      ...{ action: "unchanged", webhook: { status: "INACTIVE" } },
    });
  });
});

/** The calls that change something. How often the list is requested depends on the form. */
const writesTo = (server: BluumServer) => server.calls().filter((call) => !call.startsWith("GET"));

describe("ensure", () => {
  it("subscribes to exactly the patterns of a receiver", async () => {
    const receiver = createReceiver({ secret: "a secret of 16 bytes or more" });
    receiver.on("order.filled", () => {}).on(["transfer.*", "order.filled"], () => {});
    const server = await startBluum();
    const { webhook } = await clientOf(server).webhooks.ensure({ url: URL, receiver });
    expect(webhook.eventTypeNames).toEqual(receiver.patterns());
  });

  it("refuses a receiver without handlers, and sends nothing", async () => {
    const receiver = createReceiver({ secret: "a secret of 16 bytes or more" });
    const server = await startBluum();
    await expect(clientOf(server).webhooks.ensure({ url: URL, receiver })).rejects.toMatchObject({
      code: "configuration_invalid",
      message: expect.stringContaining("receiver has no handler"),
    });
    expect(server.requests).toEqual([]);
  });

  it("finds a webhook on a later page", async () => {
    const server = await startBluum({ webhooks: [...Array.from({ length: 25 }, () => ({})), THERE], pageSize: 10 });
    expect(await clientOf(server).webhooks.ensure(WANTED)).toMatchObject({ action: "unchanged" });
  });

  it("compares URLs after normalising them", async () => {
    const server = await startBluum({ webhooks: [{ ...THERE, url: "HTTPS://Example.com:443/a/../hook" }] });
    expect(await clientOf(server).webhooks.ensure(WANTED)).toMatchObject({ action: "unchanged" });
    expect(await clientOf(server).webhooks.ensure({ ...WANTED, url: `${URL}/` })).toMatchObject({ action: "created" });
  });

  it("accepts the matching names in place of a wildcard", async () => {
    const server = await startBluum({ expands: true });
    const { webhooks } = clientOf(server);
    for (const eventTypeNames of [["order.*"], ["*"], ["order.*", "compliance.review.opened"]]) {
      await webhooks.ensure({ url: URL, eventTypeNames });
      expect(await webhooks.ensure({ url: URL, eventTypeNames })).toMatchObject({ action: "unchanged" });
    }
    const ensured = await webhooks.ensure({ url: URL, eventTypeNames: ["order.filled"] });
    expect(ensured).toMatchObject({ action: "updated", webhook: { eventTypeNames: ["order.filled"] } });
  });

  it("keeps the active, then the oldest of several webhooks, and returns the others as duplicates", async () => {
    const server = await startBluum({
      webhooks: [
        { ...THERE, id: "wh_off", status: "INACTIVE", createdAt: "2020-01-01T00:00:00Z" },
        { ...THERE, id: "wh_new", createdAt: "2026-02-01T00:00:00Z" },
        { ...THERE, id: "wh_old", createdAt: "2026-01-01T00:00:00Z" },
      ],
    });
    const { webhook, duplicates } = await clientOf(server).webhooks.ensure(WANTED);
    expect(webhook.id).toBe("wh_old");
    expect(duplicates.map(({ id }) => id)).toEqual(["wh_new", "wh_off"]);
    expect(server.calls()).toEqual(["GET /v1/webhooks"]);
  });
});

describe("a creation by ensure with unknown outcome", () => {
  it.each<[string, Misbehaviour]>([
    ["timed out", silent],
    ["lost its connection", hangUp],
    ["was answered 502", failing(502)],
    ["was answered with garbage", (_request, response) => void response.end("<html>")],
  ])("that %s is looked up, found and not repeated", async (_name, misbehaviour) => {
    const server = await startBluum();
    server.next.push(
      (_request, response) => response.end('{"data":[]}'),
      (request, response, seen) => {
        server.webhooks.push({
          ...(seen.body as typeof THERE),
          id: "wh_lost",
          status: "ACTIVE",
          secret: "",
          createdAt: "",
        });
        misbehaviour(request, response, seen);
      },
    );
    const ensured = await clientOf(server, { timeoutMs: 1_000 }).webhooks.ensure(WANTED);
    expect(ensured).toMatchObject({ action: "created", changed: [], webhook: { id: "wh_lost" } });
    expect(ensured.webhook).not.toHaveProperty("secret");
    expect(server.calls()).toEqual(["GET /v1/webhooks", "POST /v1/webhooks", "GET /v1/webhooks"]);
  });

  it("rejects with its error if no webhook is found, and is not repeated", async () => {
    const server = await startBluum();
    server.next.push((_request, response) => response.end('{"data":[]}'), hangUp);
    await expect(clientOf(server).webhooks.ensure(WANTED)).rejects.toMatchObject({
      ...{ code: "network", operation: "webhooks.create", mayHaveHappened: true },
    });
    expect(server.calls()).toEqual(["GET /v1/webhooks", "POST /v1/webhooks", "GET /v1/webhooks"]);
  });

  it("rejects with its error if the lookup fails, too", async () => {
    const server = await startBluum();
    server.next.push((_request, response) => response.end('{"data":[]}'), failing(500), failing(401));
    await expect(clientOf(server).webhooks.ensure(WANTED)).rejects.toMatchObject({
      operation: "webhooks.create",
      status: 500,
    });
  });

  it("is not looked up after a refusal", async () => {
    const server = await startBluum();
    server.next.push((_request, response) => response.end('{"data":[]}'), failing(422));
    await expect(clientOf(server).webhooks.ensure(WANTED)).rejects.toMatchObject({ code: "validation" });
    expect(server.requests).toHaveLength(2);
  });
});
