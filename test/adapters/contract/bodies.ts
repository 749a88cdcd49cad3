import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import { event, expectRefusal, type It, isSuccess, type Member, signed, trial } from "./trial.ts";

const LIMIT = 2_000;

/** For every mount: the body reaches the receiver as it was sent, within its limits. */
export function bodyCases(member: Member, it: It): void {
  limitCases(member, it);
  encodingCases(member, it, ["gzip"]);
  methodCases(member, it, ["GET", "HEAD"]);

  it("a body with Content-Encoding identity is accepted", () =>
    trial(member, {}, async ({ send }) => {
      const { headers, body } = signed();
      expect(await send({ headers: { ...headers, "content-encoding": "identity" }, body })).toSatisfy(isSuccess);
    }));

  const invalid = Buffer.concat([Buffer.from('{"event":"order.filled","data":"'), Buffer.of(0xff), Buffer.from('"}')]);
  for (const [what, body, code] of [
    ["of 0 bytes", "", "payload_not_json"],
    ["in invalid UTF-8", invalid, "payload_not_utf8"],
  ] as const) {
    it(`a genuine body ${what} is ${code}`, () =>
      trial(member, {}, async ({ send, reached }) => {
        expectRefusal(await send(signed(body)), 400, code);
        expect(reached).toEqual([]);
      }));
  }

  for (const [what, text] of [
    ["with a BOM", () => `\uFEFF${JSON.stringify(event())}`],
    ["of 100 kB", () => JSON.stringify(event({ padding: "x".repeat(100_000) }))],
  ] as const) {
    it(`an event ${what} is accepted, with its exact bytes`, () =>
      trial(member, {}, async ({ send, contexts }) => {
        const body = text();
        expect(await send(signed(body))).toSatisfy(isSuccess);
        expect(Buffer.from(contexts[0]?.rawBody ?? []).toString()).toBe(body);
      }));
  }
}

/** For one mount of each family: every encoding and method. */
export function allBodyCases(member: Member, it: It): void {
  bodyCases(member, it);
  encodingCases(member, it, ["br", "x-unknown", "identity, gzip"]);
  methodCases(member, it, ["OPTIONS", "PUT", "DELETE"]);
}

function limitCases(member: Member, it: It): void {
  for (const chunkBytes of [undefined, 100, 1]) {
    const how = chunkBytes === undefined ? "with a Content-Length" : `in chunks of ${chunkBytes} bytes`;
    it(`a body of exactly the limit is accepted, ${how}`, () =>
      trial(member, { maxBodyBytes: LIMIT }, async ({ send }) => {
        expect(await send({ ...signed(ofLength(LIMIT)), ...(chunkBytes && { chunkBytes }) })).toSatisfy(isSuccess);
      }));
    it(`a body one byte over the limit is 413, ${how}`, () =>
      trial(member, { maxBodyBytes: LIMIT }, async ({ send, reached }) => {
        const answer = await send({ ...signed(ofLength(LIMIT + 1)), ...(chunkBytes && { chunkBytes }) });
        expectRefusal(answer, 413, "body_too_large");
        expect(reached).toEqual([]);
      }));
  }
}

function encodingCases(member: Member, it: It, refused: readonly string[]): void {
  for (const encoding of refused) {
    it(`a body with Content-Encoding ${encoding} is 415`, () =>
      trial(member, {}, async ({ send, reached }) => {
        const delivery = signed(new Uint8Array(gzipSync(JSON.stringify(event()))));
        const headers = { ...delivery.headers, "content-encoding": encoding };
        expectRefusal(await send({ ...delivery, headers }), 415, "content_encoding_unsupported");
        expect(reached).toEqual([]);
      }));
  }
}

function methodCases(member: Member, it: It, methods: readonly string[]): void {
  for (const method of methods) {
    it(`${method} is 405 and allows POST`, () =>
      trial(member, {}, async ({ send, reached }) => {
        const { headers, body } = signed();
        const answer = await send(
          method === "GET" || method === "HEAD" ? { method, headers } : { method, headers, body },
        );
        if (method === "HEAD") expect(answer).toMatchObject({ status: 405, headers: { allow: "POST" } });
        else expectRefusal(answer, 405, "method_not_allowed");
        expect(reached).toEqual([]);
      }));
  }
}

function ofLength(bytes: number): string {
  const body = JSON.stringify(event({ padding: "" }));
  return body.replace('"padding":""', `"padding":"${"x".repeat(bytes - body.length)}"`);
}
