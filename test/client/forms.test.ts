import { describe, expect, it } from "vitest";
import { clientOf, EVENT_TYPES, FORMS, startBluum } from "./bluum-server.ts";

const ENDPOINT = { url: "https://example.com/hook", name: "orders", eventTypeNames: ["order.*", "account.updated"] };

describe.each(FORMS)("webhooks that Bluum answers in the form %s", (form) => {
  it("have one type in the list", async () => {
    const server = await startBluum({ form, webhooks: [{ ...ENDPOINT, id: "wh_a", description: "all of them" }] });
    const [webhook] = await clientOf(server).webhooks.list();
    expect(webhook).toMatchObject({ id: "wh_a", ...ENDPOINT, description: "all of them", status: "ACTIVE" });
    expect(webhook?.createdAt).toEqual(new Date("2026-01-02T03:04:05Z"));
  });

  it("have one type from create, update and list, with a secret only from create", async () => {
    const server = await startBluum({ form });
    const { webhooks } = clientOf(server);
    const created = await webhooks.create(ENDPOINT);
    expect(created).toMatchObject({ ...ENDPOINT, secret: server.webhooks[0]?.secret });
    const updated = await webhooks.update(created.id, { eventTypeNames: ["order.filled"], status: "INACTIVE" });
    expect(updated).toMatchObject({ id: created.id, eventTypeNames: ["order.filled"], status: "INACTIVE" });
    expect(updated).not.toHaveProperty("secret");
    const { raw: _, ...fields } = updated;
    expect(await webhooks.list()).toEqual([expect.objectContaining(fields)]);
    await webhooks.delete(created.id);
    expect(await webhooks.list()).toEqual([]);
  });
});

describe("what the client sends", () => {
  it("is eventTypeNames in JSON, with HTTP Basic authentication", async () => {
    const server = await startBluum();
    await clientOf(server).webhooks.create({ ...ENDPOINT, eventTypeNames: ["order.*", "order.*"], description: "d" });
    expect(server.requests[0]?.body).toEqual({ ...ENDPOINT, eventTypeNames: ["order.*"], description: "d" });
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: "Basic a2V5X3RlbmFudF83ZjNhOnMzY3JldC9vZiB0aGUrQVBJPWtleQ==",
      "content-type": "application/json",
    });
  });
});

describe("undocumented fields", () => {
  it("are unchanged in raw", async () => {
    const server = await startBluum({ webhooks: [{}] });
    const [webhook] = await clientOf(server).webhooks.list();
    expect(webhook?.raw).toMatchObject({ livemode: false, object: "webhook", status: "active" });
  });

  it("and missing ones do not hide a webhook", async () => {
    const server = await startBluum();
    server.next.push((_request, response) => response.end('[{"webhook_id":"wh_1","url":"https://a.example/"}]'));
    expect(await clientOf(server).webhooks.list()).toEqual([
      {
        id: "wh_1",
        url: "https://a.example/",
        eventTypeNames: [],
        raw: { webhook_id: "wh_1", url: "https://a.example/" },
      },
    ]);
  });

  it("cannot reach a prototype", async () => {
    const server = await startBluum();
    server.next.push((_request, response) =>
      response.end('{"__proto__":{"webhooks":[]},"data":{"__proto__":{"webhooks":[]}}}'),
    );
    await expect(clientOf(server).webhooks.list()).rejects.toMatchObject({ code: "unexpected_answer" });
  });
});

describe("the catalogue of events", () => {
  it("is Bluum's current one", async () => {
    const server = await startBluum();
    expect(await clientOf(server).eventTypes()).toEqual(EVENT_TYPES.map((raw) => ({ ...raw, raw })));
    expect(server.calls()).toEqual(["GET /v1/webhooks/event-types"]);
    expect([...(server.requests[0]?.query ?? [])]).toEqual([]);
  });

  it("may have bare names and numeric versions", async () => {
    const server = await startBluum({ eventTypes: ["order.filled", { name: "order.expired", version: 2 }] });
    expect(await clientOf(server).eventTypes()).toMatchObject([
      { name: "order.filled" },
      { name: "order.expired", version: "2" },
    ]);
  });
});
