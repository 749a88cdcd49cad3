// The server of Google Cloud Functions, Cloud Run functions and Firebase. Its body parsers come first and keep the bytes.
import { gzipSync } from "node:zlib";
import { type HttpFunction, http } from "@google-cloud/functions-framework";
import { getTestServer } from "@google-cloud/functions-framework/testing";
import { describe, expect, it } from "vitest";
import { bluumHandler } from "../../adapters/express.ts";
import type { Receiver } from "../../src/index.ts";
import { claimCases } from "./contract/claims.ts";
import { handlerMember } from "./contract/handler.ts";
import { expectTrueBytes, quietReceiver } from "./contract/mounts.ts";
import { type Endpoint, listen } from "./contract/sender.ts";
import { signatureCases } from "./contract/signatures.ts";
import { expectRefusal, isSuccess, signed } from "./contract/trial.ts";
import { expectNothingToEscape } from "./contract.ts";

expectNothingToEscape();

let ordinal = 0;

/** Serves one function as the framework does. */
function serve(receiver: Receiver): Promise<Endpoint> {
  ordinal += 1;
  // @koa/bodyparser, which other tests import, declares rawBody as a string on every request.
  http(`bluum-${ordinal}`, bluumHandler(receiver) as unknown as HttpFunction);
  return listen(getTestServer(`bluum-${ordinal}`));
}

const member = handlerMember("Google Cloud Functions", true, serve);

// Without the cases of bodies and sockets: the framework has read the body before us.
describe.concurrent("Google Cloud Functions keep the adapter contract", () => {
  signatureCases(member, it);
  claimCases(member, it);
});

describe.concurrent("Google Cloud Functions", () => {
  for (const contentType of ["application/json", "text/plain", "application/x-www-form-urlencoded", "x/y"]) {
    for (const chunkBytes of [undefined, 7]) {
      const how = chunkBytes === undefined ? "" : ", in chunks";
      it(`true bytes of a body of type ${contentType}${how}`, () =>
        expectTrueBytes(({ receiver, reached }) => serve(receiver.on("*", (event) => reached(event))), {
          contentType,
          ...(chunkBytes === undefined ? {} : { chunkBytes }),
        }));
    }
  }

  it("unsigned, too large, compressed and GET requests are refused, and the next delivery is accepted", async () => {
    const endpoint = await serve(quietReceiver({ maxBodyBytes: 2_000 }).on("*", () => {}));
    expectRefusal(await endpoint.send({ body: "{}" }), 401, "signature_missing");
    expectRefusal(await endpoint.send(signed(JSON.stringify({ a: "x".repeat(2_001) }))), 413, "body_too_large");
    const delivery = signed();
    const packed = { headers: { ...delivery.headers, "content-encoding": "gzip" }, body: gzipSync(delivery.body) };
    expectRefusal(await endpoint.send(packed), 415, "content_encoding_unsupported");
    expectRefusal(await endpoint.send({ method: "GET" }), 405, "method_not_allowed");
    expect(await endpoint.send(delivery)).toSatisfy(isSuccess);
    await endpoint.close();
  });

  it("a malformed body of type application/json is answered 400 by the framework", async () => {
    const reached: string[] = [];
    const endpoint = await serve(quietReceiver().on("*", ({ id }) => void reached.push(id)));
    expect((await endpoint.send(signed('{"event":"order.fil'))).status).toBe(400);
    expect(reached).toEqual([]);
    await endpoint.close();
  });
});
