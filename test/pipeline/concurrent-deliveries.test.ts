import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bluumHandler } from "../../adapters/node.ts";
import type { Delivery } from "../../src/delivery.ts";
import type { DeliveryContext } from "../../src/index.ts";
import { code, DUPLICATE, OK } from "./claims.ts";
import { type Bench, bench, gate, signed, until } from "./receiving.ts";

describe("deliveries of one event over HTTP", () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function serve(
    options: Bench,
  ): Promise<{ post: (delivery: Delivery, signal?: AbortSignal) => Promise<Response>; server: Server }> {
    const server = createServer(bluumHandler(options.receiver));
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const post = ({ headers, body }: Delivery, signal?: AbortSignal) =>
      fetch(url, {
        method: "POST",
        headers: headers as Record<string, string>,
        body: body as BodyInit,
        signal: signal ?? null,
      });
    return { post, server };
  }

  it("run its handler once when 50 arrive together", async () => {
    const served = bench();
    const working = gate();
    const handler = vi.fn(() => working.passed);
    served.receiver.on("order.filled", handler);
    const { post } = await serve(served);
    const delivery = signed();
    const answers = Array.from({ length: 50 }, () => post(delivery));
    await until(() => served.reports.length === 49, "all but one are answered");
    working.open();
    const responses = await Promise.all(answers);
    const bodies = await Promise.all(
      responses.map(async (response) => ({ status: response.status, body: await response.text() })),
    );
    expect(bodies.filter(({ status }) => status === 200)).toEqual([OK]);
    expect(bodies.filter(({ status }) => status === 503)).toEqual(Array(49).fill(code(503, "event_in_flight")));
    expect(responses.filter(({ headers }) => headers.has("retry-after"))).toHaveLength(49);

    const again = await Promise.all(Array.from({ length: 50 }, async () => (await post(delivery)).text()));
    expect(again).toEqual(Array(50).fill(DUPLICATE.body));
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("run its handler to the end when the sender hangs up, and the retry is a duplicate", async () => {
    const served = bench();
    const working = gate();
    const running = gate();
    let signal: AbortSignal | undefined;
    const handler = vi.fn((_, context: DeliveryContext) => {
      signal = context.signal;
      running.open();
      return working.passed;
    });
    served.receiver.on("order.filled", handler);
    const { post, server } = await serve(served);
    const closed = new Promise((resolve) => server.once("request", (req) => req.once("close", resolve)));
    const delivery = signed();
    const impatient = new AbortController();
    const first = post(delivery, impatient.signal).catch((error: Error) => error.name);
    await running.passed;
    impatient.abort();
    expect(await first).toBe("AbortError");
    await closed;
    expect(signal?.aborted).toBe(false);
    expect((await post(delivery)).status).toBe(503);
    working.open();
    await until(() => served.reports.some(({ outcome }) => outcome === "accepted"), "the handler's result is settled");
    expect(await (await post(delivery)).text()).toBe(DUPLICATE.body);
    expect(handler).toHaveBeenCalledTimes(1);
  });
});
