import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { BluumApiError } from "../../src/client/index.ts";
import { clientOf, failing, hangUp, type Misbehaviour, silent, startBluum } from "./bluum-server.ts";

const NEW = { name: "n", url: "https://a.example/hook", eventTypeNames: ["order.*"] };
const half: Misbehaviour = (_request, response) => {
  response.writeHead(200, { "content-length": "1000" }).write('{"data":');
  setImmediate(() => response.socket?.destroy());
};
const halfThenSilent: Misbehaviour = (_request, response) => void response.writeHead(200).write('{"data":');

/** An address of this machine without a listener. */
async function noListener(): Promise<{ readonly url: string }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return { url: `http://127.0.0.1:${port}/v1` };
}

/** Long enough for a busy machine. Only tests with a silent server wait for it. */
const timeoutMs = 1_000;

describe("a safe call", () => {
  it.each<[string, Misbehaviour]>([
    ["429", failing(429)],
    ["500", failing(500)],
    ["502 in HTML", (_request, response) => response.writeHead(502).end("<html>Bad Gateway</html>")],
    ["a broken connection", hangUp],
    ["half an answer", half],
    ["an answer that never ends", halfThenSilent],
    ["no answer", silent],
  ])("is retried after %s", async (_name, misbehaviour) => {
    const server = await startBluum({ webhooks: [{}] });
    server.next.push(misbehaviour, misbehaviour);
    const client = clientOf(server, { timeoutMs });
    expect(await client.webhooks.list()).toHaveLength(1);
    expect(server.requests).toHaveLength(3);
    expect(client.waits).toEqual([375, 750]);
  });

  it("fails with the last error after all retries", async () => {
    const server = await startBluum();
    server.next.push(...Array.from({ length: 9 }, () => failing(503)));
    const client = clientOf(server, { retries: 5 });
    await expect(client.eventTypes()).rejects.toMatchObject({ code: "server", status: 503, mayHaveHappened: false });
    expect(server.requests).toHaveLength(6);
    expect(client.waits).toEqual([375, 750, 1_500, 3_000, 6_000]);
  });

  it.each([400, 401, 403, 404, 418])("is not retried after %i", async (status) => {
    const server = await startBluum();
    server.next.push(failing(status));
    await expect(clientOf(server).webhooks.list()).rejects.toMatchObject({ status });
    expect(server.requests).toHaveLength(1);
  });

  it("waits a random time from half of the backoff to the whole", async () => {
    for (const [random, wait] of [[0, 250] as const, [0.999, 499.75] as const]) {
      const server = await startBluum();
      server.next.push(failing(500));
      const client = clientOf(server, { random: () => random });
      await client.webhooks.list();
      expect(client.waits).toEqual([wait]);
    }
  });
});

describe("Retry-After", () => {
  it.each([
    ["in seconds", { "retry-after": "7" }],
    [
      "as a date, by the server's own clock",
      { date: "Thu, 01 Jan 2026 00:00:00 GMT", "retry-after": "Thu, 01 Jan 2026 00:00:07 GMT" },
    ],
  ])("%s is waited for, with jitter", async (_name, headers) => {
    const server = await startBluum();
    server.next.push(failing(429, headers), failing(503, headers));
    const client = clientOf(server);
    await client.webhooks.list();
    expect(client.waits).toEqual([7_125, 7_125]);
  });

  it("as a date is compared with the local clock if the answer has no Date", async () => {
    const server = await startBluum();
    server.next.push((_request, response) => {
      response.sendDate = false;
      response.writeHead(429, { "retry-after": "Thu, 01 Jan 2026 00:00:07 GMT" }).end();
    });
    const client = clientOf(server, { now: () => Date.parse("2026-01-01T00:00:05Z") });
    await client.webhooks.list();
    expect(client.waits).toEqual([2_125]);
  });

  it("longer than maxRetryAfterMs ends the call, and the error has it", async () => {
    const server = await startBluum();
    server.next.push(failing(429, { "retry-after": "3600" }));
    const client = clientOf(server);
    await expect(client.webhooks.list()).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 3_600_000 });
    expect(client.waits).toEqual([]);
  });

  it.each(["soon", "-5", "1e9", "99999999999999999999"])(
    "of %s never makes a client wait more than a minute",
    async (value) => {
      const server = await startBluum();
      server.next.push(failing(429, { "retry-after": value }));
      const client = clientOf(server);
      await client.webhooks.list().catch(() => {});
      expect(Math.max(0, ...client.waits)).toBeLessThanOrEqual(60_250);
    },
  );
});

describe("a storm of 429", () => {
  it("is survived by a create, since Bluum did not carry it out", async () => {
    const server = await startBluum();
    server.next.push(failing(429), failing(429, { "retry-after": "1" }), failing(429));
    const client = clientOf(server);
    expect(await client.webhooks.create(NEW)).toMatchObject(NEW);
    expect(server.webhooks).toHaveLength(1);
    expect(client.waits).toEqual([375, 1_125, 1_500]);
  });
});

describe("a create with unknown outcome", () => {
  it.each<[string, string, Misbehaviour]>([
    ["timed out", "timeout", silent],
    ["lost its connection", "network", hangUp],
    ["was answered 500", "server", failing(500)],
    [
      "was answered with half a webhook",
      "unexpected_answer",
      (_request, response) => void response.writeHead(201).end('{"id":'),
    ],
  ])("that %s is not retried, and mayHaveHappened is true", async (_name, code, misbehaviour) => {
    const server = await startBluum();
    server.next.push(misbehaviour);
    const { webhooks } = clientOf(server, { timeoutMs });
    await expect(webhooks.create(NEW)).rejects.toMatchObject({ code, mayHaveHappened: true });
    expect(server.calls()).toEqual(["POST /v1/webhooks"]);
  });

  it("does not include one without a connection, which is retried", async () => {
    const client = clientOf(await noListener());
    await expect(client.webhooks.create(NEW)).rejects.toMatchObject({
      code: "network",
      mayHaveHappened: false,
      message: "webhooks.create: no connection to Bluum, or it was interrupted: ECONNREFUSED.",
    });
    expect(client.waits).toHaveLength(3);
  });
});

describe("update and delete", () => {
  it.each<[string, Misbehaviour]>([
    ["500", failing(500)],
    ["a broken connection", hangUp],
    ["no answer", silent],
  ])("are made again after %s", async (_name, misbehaviour) => {
    const server = await startBluum({ webhooks: [{ id: "wh_1" }] });
    const { webhooks } = clientOf(server, { timeoutMs });
    server.next.push(misbehaviour);
    expect(await webhooks.update("wh_1", { name: "other" })).toMatchObject({ name: "other" });
    server.next.push(misbehaviour);
    await webhooks.delete("wh_1");
    expect(server.webhooks).toEqual([]);
  });

  it.each([400, 401, 404, 429])(
    "may have happened where an earlier attempt may have, though the last got %i",
    async (status) => {
      const server = await startBluum({ webhooks: [{ id: "wh_1" }] });
      server.next.push(failing(500), failing(status, { "retry-after": "3600" }));
      const error = await clientOf(server)
        .webhooks.update("wh_1", { name: "other" })
        .catch((thrown) => thrown);
      expect(error).toBeInstanceOf(BluumApiError);
      expect(error).toMatchObject({ name: "BluumApiError", status, mayHaveHappened: true, requestId: "req_1" });
      server.next.push(failing(429), failing(400));
      await expect(clientOf(server).webhooks.update("wh_1", { name: "other" })).rejects.toMatchObject({
        status: 400,
        mayHaveHappened: false,
      });
    },
  );

  it("treat a 404 after an attempt of unknown outcome as deleted", async () => {
    const server = await startBluum({ webhooks: [{ id: "wh_1" }] });
    server.next.push((request, _response) => {
      server.webhooks.pop();
      request.socket.destroy();
    });
    await expect(clientOf(server).webhooks.delete("wh_1")).resolves.toBeUndefined();
    expect(server.calls()).toEqual(["DELETE /v1/webhooks/wh_1", "DELETE /v1/webhooks/wh_1"]);
  });

  it("treat a 404 as not found if no attempt can have deleted anything", async () => {
    const server = await startBluum();
    server.next.push(failing(429));
    await expect(clientOf(server).webhooks.delete("wh_1")).rejects.toMatchObject({ code: "not_found" });
    expect(server.requests).toHaveLength(2);
  });
});
