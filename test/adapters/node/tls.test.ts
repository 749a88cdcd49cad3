import { connect, createSecureServer, type Http2SecureServer } from "node:http2";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { bluumHandler } from "../../../adapters/node.ts";
import { selfSigned } from "../contract/certificate.ts";
import { expectTrueBytes, quietReceiver } from "../contract/mounts.ts";
import { type Answer, type Endpoint, PATH, type Sending } from "../contract/sender.ts";
import { expectRefusal, isSuccess, signed } from "../contract/trial.ts";
import { expectNothingToEscape } from "../contract.ts";

expectNothingToEscape();

const tls = selfSigned();

/** Sends one request over HTTP/1.1 and TLS. */
function sendOverHttps(port: number, { method = "POST", headers = {}, body = "" }: Sending): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path: PATH, method, agent: false, ca: tls.cert } as const;
    const outgoing = request({ ...options, headers: headers as Record<string, string> }, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      incoming.on("end", () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers as Record<string, string>, body: text }),
      );
    });
    outgoing.on("error", reject).end(body);
  });
}

/** Sends one request over HTTP/2 and TLS, on its own session. */
function sendOverHttp2(port: number, { method = "POST", headers = {}, body = "" }: Sending): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = connect(`https://127.0.0.1:${port}`, { ca: tls.cert }).on("error", reject);
    const stream = session.request({ ":path": PATH, ":method": method, ...headers }, { endStream: body === "" });
    let answer: Record<string, string> = {};
    let text = "";
    stream.on("error", reject).on("response", (head) => {
      answer = head as unknown as Record<string, string>;
    });
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    stream.on("end", () => {
      session.close();
      resolve({ status: Number(answer[":status"]), headers: answer, body: text });
    });
    if (body !== "") stream.end(body);
  });
}

async function serve(
  server: Server | Http2SecureServer,
  send: (port: number, sending: Sending) => Promise<Answer>,
): Promise<Endpoint> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => void server.close(() => resolve()));
  return { port, send: (sending) => send(port, sending), close };
}

const both = () => ({ ...tls, allowHTTP1: true });
for (const [name, start, send] of [
  ["https", (handler: ReturnType<typeof bluumHandler>) => createServer(tls, handler), sendOverHttps],
  ["HTTP/2 over TLS", (handler: ReturnType<typeof bluumHandler>) => createSecureServer(tls, handler), sendOverHttp2],
  [
    "HTTP/2 that allows HTTP/1.1, by an HTTP/2 client",
    (handler: ReturnType<typeof bluumHandler>) => createSecureServer(both(), handler),
    sendOverHttp2,
  ],
  [
    "HTTP/2 that allows HTTP/1.1, by an HTTP/1.1 client",
    (handler: ReturnType<typeof bluumHandler>) => createSecureServer(both(), handler),
    sendOverHttps,
  ],
] as const) {
  describe.concurrent(`node, handler, over ${name}`, () => {
    const trying = async (run: (endpoint: Endpoint) => Promise<void>) => {
      const receiver = quietReceiver({ maxBodyBytes: 2_000 }).on("*", () => {});
      const endpoint = await serve(start(bluumHandler(receiver)), send);
      await run(endpoint).finally(() => endpoint.close());
    };

    it("genuine deliveries arrive once each, forged ones never", () =>
      expectTrueBytes(({ receiver, reached }) =>
        serve(start(bluumHandler(receiver.on("*", (event) => reached(event)))), send),
      ));
    it("unsigned, too large, compressed and GET requests are refused, and the next delivery is accepted", () =>
      trying(async (endpoint) => {
        expectRefusal(await endpoint.send({ body: "{}" }), 401, "signature_missing");
        expectRefusal(await endpoint.send(signed("x".repeat(2_001))), 413, "body_too_large");
        const delivery = signed();
        const compressed = { ...delivery, headers: { ...delivery.headers, "content-encoding": "gzip" } };
        expectRefusal(await endpoint.send(compressed), 415, "content_encoding_unsupported");
        expectRefusal(await endpoint.send({ method: "GET" }), 405, "method_not_allowed");
        expect(await endpoint.send(delivery)).toSatisfy(isSuccess);
      }));
  });
}
