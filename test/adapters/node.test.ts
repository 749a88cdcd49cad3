import { createServer, type IncomingMessage, ServerResponse } from "node:http";
import { connect, createServer as createHttp2Server, type OutgoingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { bluumHandler, toDelivery } from "../../adapters/node.ts";
import type { DeliveryReport } from "../../src/index.ts";
import { handlerMember } from "./contract/handler.ts";
import { quietReceiver } from "./contract/mounts.ts";
import { listen, PATH } from "./contract/sender.ts";
import { event, signed } from "./contract/trial.ts";
import { describeWholeContract, expectNothingToEscape } from "./contract.ts";

expectNothingToEscape();

describeWholeContract(handlerMember("node, handler", true, (receiver) => listen(createServer(bluumHandler(receiver)))));

describe.concurrent("node, handler, over HTTP/2", () => {
  /** Sends one request on its own session; returns the answer once the server has closed the stream. */
  async function answerTo(headers: OutgoingHttpHeaders, body: string, goesOn = false): Promise<string> {
    const server = createHttp2Server(bluumHandler(quietReceiver({ maxBodyBytes: 2_000 }).on("*", () => {})));
    const closed = new Promise((resolve) => server.once("stream", (stream) => stream.once("close", resolve)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const stream = session.request({ ":path": PATH, ":method": "POST", ...headers }, { endStream: body === "" });
    stream.on("error", () => {});
    let answer = "";
    stream.on("response", ({ ":status": status }) => {
      answer += `${status} `;
    });
    stream.on("data", (chunk: Buffer) => {
      answer += chunk;
    });
    if (body !== "") stream.write(body);
    if (body !== "" && !goesOn) stream.end();
    const trickle = setInterval(() => goesOn && stream.writable && stream.write("x"), 20);
    await Promise.all([closed, new Promise((resolve) => stream.once("end", resolve))]);
    clearInterval(trickle);
    session.destroy();
    await new Promise((resolve) => server.close(resolve));
    return answer;
  }

  it("a genuine delivery is handled", async () => {
    const { headers, body } = signed(JSON.stringify(event()));
    expect(await answerTo(headers, body as string)).toBe('200 {"received":true}');
  });

  it("a forged delivery is refused", async () => {
    const { headers } = signed();
    expect(await answerTo(headers, "{}")).toBe('401 {"error":{"code":"signature_mismatch"}}');
  });

  it("an unsigned upload is refused", async () => {
    expect(await answerTo({}, "x".repeat(1_000_000))).toBe('401 {"error":{"code":"signature_missing"}}');
  });

  it("a body over the limit is refused, with a Content-Length and without", async () => {
    const body = "x".repeat(1_000_000);
    const { headers } = signed(body);
    expect(await answerTo({ ...headers, "content-length": body.length }, body)).toContain("413");
    expect(await answerTo(headers, body)).toContain("413");
  });

  it("a sender that never stops is answered, and its stream is closed", async () => {
    expect(await answerTo({}, "x", true)).toContain("401");
    expect(await answerTo(signed().headers, "x".repeat(2_001), true)).toContain("413");
  });

  it("GET is 405 and allows POST", async () => {
    expect(await answerTo({ ":method": "GET" }, "")).toBe('405 {"error":{"code":"method_not_allowed"}}');
  });
});

describe("node, an accepted request", () => {
  it("has headers that can be copied", async () => {
    const receiver = quietReceiver();
    const endpoint = await listen(
      createServer(async (req, res) => {
        const { kind } = await receiver.receive(toDelivery(req));
        const copy = new Headers(req.headers as Record<string, string>);
        res.end(JSON.stringify({ kind, names: [...copy.keys()], own: Reflect.ownKeys(req.headers).length }));
      }),
    );
    const { headers, body } = signed(JSON.stringify(event()));
    const answer = await endpoint.send({ method: "POST", headers, body });
    const { kind, names, own } = JSON.parse(answer.body);
    expect([kind, names.length]).toEqual(["accepted", own]);
    expect(names).toContain("x-bluum-signature");
    await endpoint.close();
  });
});

describe("node, handler, for requests without a socket", () => {
  it("a request that closes early, without an error, is body_incomplete at once", async () => {
    const reports: DeliveryReport[] = [];
    const headers = { "x-bluum-signature": signed().headers["X-Bluum-Signature"] };
    const injected = Object.assign(new Readable({ read() {} }), { method: "POST", headers, httpVersionMajor: 1 });
    const req = injected as unknown as IncomingMessage;
    const handled = bluumHandler(quietReceiver({ observe: (report) => reports.push(report) }))(
      req,
      new ServerResponse(req),
    );
    injected.push("{");
    injected.destroy();
    await handled;
    expect(reports).toMatchObject([{ outcome: "rejected", code: "body_incomplete" }]);
  });

  it("requests that share one headers object are verified by their own bodies", async () => {
    const receiver = quietReceiver();
    const { headers, body } = signed(JSON.stringify(event()));
    const shared = { "x-bluum-signature": headers["X-Bluum-Signature"] };
    const withBody = (text: string) =>
      receiver.receive(
        toDelivery({ method: "POST", headers: shared, rawBody: Buffer.from(text) } as unknown as IncomingMessage),
      );
    expect(await withBody(body as string)).toMatchObject({ kind: "accepted" });
    expect(await withBody("{}")).toMatchObject({ kind: "rejected", error: { code: "signature_mismatch" } });
  });
});
