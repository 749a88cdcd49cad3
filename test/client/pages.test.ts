import { describe, expect, it } from "vitest";
import { clientOf, json, kept, startBluum } from "./bluum-server.ts";

const many = (count: number) => Array.from({ length: count }, (_, place) => ({ id: `wh_m${place}` }));
const ids = (webhooks: readonly { readonly id: string }[]) => webhooks.map(({ id }) => id);

describe("the list of webhooks", () => {
  it("is read by has_more, 200 at a time", async () => {
    const server = await startBluum({ webhooks: many(450) });
    expect(ids(await clientOf(server).webhooks.list())).toEqual(ids(server.webhooks));
    expect(server.requests.map(({ query }) => `${query}`)).toEqual([
      "limit=200&offset=0",
      "limit=200&offset=200",
      "limit=200&offset=400",
    ]);
  });

  it("is read to its end if pages are shorter than requested", async () => {
    const server = await startBluum({ webhooks: many(45), pageSize: 20 });
    expect(await clientOf(server).webhooks.list()).toHaveLength(45);
    expect(server.requests).toHaveLength(3);
  });

  it.each(["snake", "camel"] as const)(
    "in the form %s, without has_more, ends with an empty page, however short those before are",
    async (form) => {
      const server = await startBluum({ form, webhooks: many(45), pageSize: 20 });
      expect(await clientOf(server).webhooks.list()).toHaveLength(45);
      expect(server.requests.map(({ query }) => query.get("offset"))).toEqual(["0", "20", "40", "45"]);
    },
  );

  it("is searched to its end by ensure if pages are shorter than requested", async () => {
    const url = "https://example.com/hook";
    const webhooks = [...many(25), { id: "wh_there", url, eventTypeNames: ["order.*"] }];
    const server = await startBluum({ form: "camel", webhooks, pageSize: 20 });
    expect(await clientOf(server).webhooks.ensure({ url, eventTypeNames: ["order.*"] })).toMatchObject({
      action: "unchanged",
      webhook: { id: "wh_there" },
    });
    expect(server.webhooks).toHaveLength(26);
  });

  it("ends when a server without paging repeats itself", async () => {
    const server = await startBluum();
    const data = { webhooks: many(300).map(kept) };
    for (let page = 0; page < 5; page++) server.next.push((_request, response) => json(response, 200, { data }));
    expect(await clientOf(server).webhooks.list()).toHaveLength(300);
    expect(server.requests).toHaveLength(2);
  });

  it("is an error if the server always says that there is more", async () => {
    const server = await startBluum();
    for (const data of [[kept({ id: "wh_same" })], [kept({ id: "wh_same" })]])
      server.next.push((_request, response) => json(response, 200, { has_more: true, data }));
    await expect(clientOf(server).webhooks.list()).rejects.toMatchObject({
      code: "unexpected_answer",
      requestId: "req_1",
    });
    expect(server.requests).toHaveLength(2);
  });

  it("is an error if it has no end", async () => {
    const server = await startBluum();
    for (let page = 0; page < 200; page++)
      server.next.push((_request, response) => json(response, 200, { has_more: true, data: [kept()] }));
    await expect(clientOf(server).webhooks.list()).rejects.toMatchObject({
      code: "unexpected_answer",
      message: "webhooks.list: unexpected answer: there are more than 100 pages.",
    });
    expect(server.requests).toHaveLength(100);
  });

  it("has a webhook once that moved to the next page", async () => {
    const server = await startBluum();
    const [one, two, three] = [kept(), kept(), kept()];
    server.next.push((_request, response) => json(response, 200, { has_more: true, data: [one, two] }));
    server.next.push((_request, response) => json(response, 200, { has_more: false, data: [two, three] }));
    expect(ids(await clientOf(server).webhooks.list())).toEqual(ids([one, two, three]));
  });
});
