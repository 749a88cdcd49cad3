import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { clientOf, failing, json, type Misbehaviour, silent, startBluum } from "./bluum-server.ts";

const text =
  (body: string, headers = {}): Misbehaviour =>
  (_request, response) =>
    void response.writeHead(200, headers).end(body);

describe("an answer that Bluum does not document", () => {
  it.each([
    ["HTML", "<html><body>Log in to the hotel's network</body></html>"],
    ["truncated JSON", '{"data":{"webhooks":[{"id":"wh_1","ur'],
    ["empty", ""],
    ["null", "null"],
    ["a number", "42"],
    ["a list of numbers", "[1,2]"],
    ["an object without a list", '{"status":"success"}'],
    ["a webhook without a URL", '{"data":[{"id":"wh_1"}]}'],
    ["a webhook whose id is an object", '{"data":[{"id":{},"url":"https://a.example"}]}'],
    ["deeper than any parser's stack", "[".repeat(2_000_000)],
  ])("%s: is an unexpected answer", async (_name, body) => {
    const server = await startBluum();
    server.next.push(text(body));
    await expect(clientOf(server).webhooks.list()).rejects.toMatchObject({ code: "unexpected_answer", status: 200 });
    expect(server.requests).toHaveLength(1);
  });

  it("is refused above 8 MiB, and its rest is not read", async () => {
    const server = await startBluum();
    let closed: Promise<void> | undefined;
    server.next.push((_request, response) => {
      closed = new Promise((resolve) => response.on("close", resolve));
      const chunk = "x".repeat(64 * 1024);
      const more = () => {
        while (response.write(chunk));
      };
      response.writeHead(200).on("drain", more);
      more();
    });
    await expect(clientOf(server).webhooks.list()).rejects.toMatchObject({
      code: "unexpected_answer",
      message: expect.stringContaining("larger than 8388608 bytes"),
    });
    await closed;
  });

  it("is measured after decompression", async () => {
    const server = await startBluum();
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, " "));
    expect(bomb.length).toBeLessThan(100_000);
    server.next.push((_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb));
    await expect(clientOf(server).webhooks.list()).rejects.toMatchObject({
      message: expect.stringContaining("larger than"),
    });
  });
});

describe("a redirect", () => {
  it.each([301, 302, 303, 307, 308])("with %i sends no request to another host", async (status) => {
    const arrived: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      arrived.push(request.headers.authorization);
      json(response, 200, { data: [] });
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once("listening", resolve));
    const target = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const server = await startBluum();
    server.next.push((_request, response) => response.writeHead(status, { location: `${target}/v1/webhooks` }).end());
    await expect(clientOf(server).webhooks.list()).rejects.toMatchObject({
      ...{ code: "redirected", status, mayHaveHappened: false },
      message: expect.stringContaining(`to ${target};`),
    });
    expect(arrived).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });

  it("is not followed on the same host, either", async () => {
    const server = await startBluum();
    server.next.push((_request, response) => response.writeHead(308, { location: "/v2/webhooks" }).end());
    await expect(clientOf(server).webhooks.list()).rejects.toMatchObject({ code: "redirected" });
    expect(server.requests).toHaveLength(1);
  });
});

describe("a signal", () => {
  it("aborts a call that waits for its answer", async () => {
    const server = await startBluum();
    const controller = new AbortController();
    server.next.push((request, response, seen) => {
      controller.abort();
      silent(request, response, seen);
    });
    const call = clientOf(server).webhooks.delete("wh_1", { signal: controller.signal });
    await expect(call).rejects.toMatchObject({ code: "aborted", mayHaveHappened: true });
    expect(server.requests).toHaveLength(1);
  });

  it("aborts a call that waits for its next attempt, in real time", async () => {
    const server = await startBluum();
    const controller = new AbortController();
    server.next.push((request, response, seen) => {
      response.on("close", () => controller.abort());
      failing(429, { "retry-after": "50" })(request, response, seen);
    });
    const { eventTypes } = clientOf(server, { sleep: undefined as never });
    await expect(eventTypes({ signal: controller.signal })).rejects.toMatchObject({ code: "aborted" });
    expect(server.requests).toHaveLength(1);
  });

  it("aborted between attempts reports whether the call may have happened", async () => {
    for (const [status, mayHaveHappened] of [[429, false] as const, [500, true] as const]) {
      const server = await startBluum({ webhooks: [{ id: "wh_1" }] });
      const controller = new AbortController();
      server.next.push(failing(status));
      const { webhooks } = clientOf(server, { sleep: async () => controller.abort() });
      const call = webhooks.update("wh_1", { name: "n" }, { signal: controller.signal });
      await expect(call).rejects.toMatchObject({ code: "aborted", name: "BluumApiError", mayHaveHappened });
      expect(server.requests).toHaveLength(1);
    }
  });

  it("aborted before the call sends nothing", async () => {
    const server = await startBluum();
    const { webhooks, eventTypes } = clientOf(server);
    const options = { signal: AbortSignal.abort(new Error("for a reason of my own")) };
    const fields = { name: "n", url: "https://a.example", eventTypeNames: ["order.*"] };
    for (const call of [
      eventTypes(options),
      webhooks.list(options),
      webhooks.create(fields, options),
      webhooks.update("wh_1", { name: "n" }, options),
      webhooks.delete("wh_1", options),
      webhooks.ensure({ url: fields.url, eventTypeNames: fields.eventTypeNames }, options),
    ])
      await expect(call).rejects.toMatchObject({ code: "aborted", mayHaveHappened: false });
    expect(server.requests).toEqual([]);
  });
});
