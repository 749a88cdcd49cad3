import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BluumFetchHandler } from "../../adapters/fetch.ts";
import type { LambdaHttpEvent, LambdaHttpResult } from "../../adapters/lambda.ts";
import { sampleEvent, signDelivery } from "../../src/testing/index.ts";
import { ROOT } from "./markdown.ts";
import { compileSnippets, removeSnippets, type Snippet, snippetsOf, start } from "./snippets.ts";

const secret = `whsec_${Buffer.from("a secret of 32 bytes for testing").toString("base64")}`;
const PAGES = ["edge", "fetch", "lambda", "nestjs"].map((name) => `docs/start/${name}.md`);

/** The snippets whose exports cannot be mounted on a Node server; test/readme.test.ts starts the others. */
describe("the snippets of docs/start that are a part of a program", () => {
  const snippets = snippetsOf(PAGES);

  beforeAll(async () => {
    if (!existsSync(`${ROOT}dist/adapters/lambda.js`)) throw new Error("dist is missing: run `npm run build` first");
    process.env.BLUUM_WEBHOOK_SECRET = secret;
    await compileSnippets(snippets);
  }, 60_000);
  afterAll(removeSnippets);

  async function exportsOf(mark: string): Promise<Record<string, unknown>> {
    return import(snippets.find(({ code }) => code.includes(mark))?.program as string);
  }

  const delivery = () => signDelivery({ secret, event: sampleEvent("order.filled") });
  const request = (path = "/webhooks/bluum") => new Request(`http://localhost${path}`, delivery() as RequestInit);

  it("React Router's action takes a genuine delivery", async () => {
    const { action } = (await exportsOf("export const action")) as { action: BluumFetchHandler };
    expect(await (await action({ request: request() })).json()).toEqual({ received: true });
  });

  it("the module of Workers, Bun and Deno takes one on its path, and passes its work to waitUntil", async () => {
    const { default: app } = (await exportsOf("export default {")) as {
      default: { fetch(request: Request, env?: object, context?: object): Promise<Response> };
    };
    const held: unknown[] = [];
    expect((await app.fetch(request("/elsewhere"))).status).toBe(404);
    expect((await app.fetch(request())).status).toBe(200);
    expect((await app.fetch(request(), {}, { waitUntil: (work: unknown) => held.push(work) })).status).toBe(200);
    expect(held).toHaveLength(1);
  });

  it("the function of Lambda takes one", async () => {
    const { handler } = (await exportsOf("export const handler =")) as {
      handler(event: LambdaHttpEvent): Promise<LambdaHttpResult>;
    };
    const { headers, body } = delivery();
    const event = {
      requestContext: { http: { method: "POST" } },
      headers,
      body: body as string,
      isBase64Encoded: false,
    };
    expect(await handler(event)).toMatchObject({ statusCode: 200, body: '{"received":true}' });
  });

  it("an exception filter of NestJS that answers 200 loses no event", async () => {
    const snippet = snippets.find(({ code }) => code.includes("useGlobalFilters")) as Snippet;
    const { url, stop } = await start(snippet, { BLUUM_WEBHOOK_SECRET: secret });
    try {
      const refused = signDelivery({ secret, event: sampleEvent("order.rejected") });
      for (const _ of [1, 2]) {
        const answer = await fetch(`${url}/webhooks/bluum`, refused);
        expect(answer.status).toBe(500);
        expect(await answer.json()).toEqual({ error: { code: "handler_failed" } });
      }
      expect(await (await fetch(`${url}/elsewhere`)).json()).toEqual({ ok: false });
    } finally {
      await stop();
    }
  });
});
