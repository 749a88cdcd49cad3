import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bluumHandler } from "../adapters/node.ts";
import { createReceiver } from "../src/index.ts";
import { sampleEvent, signDelivery } from "../src/testing/index.ts";
import { brokenLinks } from "./docs/links.ts";
import { ROOT, readText } from "./docs/markdown.ts";
import { documentationPages } from "./docs/pages.ts";
import { compileSnippets, removeSnippets, runToEnd, type Snippet, snippetsOf, start } from "./docs/snippets.ts";
import { findPostgres, type OwnDatabase, ownDatabase } from "./services/postgres.ts";
import { canStartRedis, type RedisService, startRedis } from "./services/redis.ts";

const secret = `whsec_${Buffer.from("a secret of 32 bytes for testing").toString("base64")}`;
const env = { BLUUM_WEBHOOK_SECRET: secret, NODE_ENV: "test" };
// One of its own: the snippets name no place in it that would be theirs alone.
const redis: RedisService | undefined = (await canStartRedis()) ? await startRedis() : undefined;
const postgres = await findPostgres();
const pages = ["README.md", ...documentationPages()];

describe("every snippet of the documentation, run against the built package", () => {
  const snippets = snippetsOf(pages);
  const available = { REDIS_URL: redis !== undefined, DATABASE_URL: postgres !== undefined };
  let database: OwnDatabase | undefined;

  beforeAll(async () => {
    if (!existsSync(`${ROOT}dist/src/index.js`)) throw new Error("dist is missing: run `npm run build` first");
    if (postgres) database = await ownDatabase(postgres.url);
    await compileSnippets(snippets);
  }, 60_000);
  afterAll(async () => {
    removeSnippets();
    await database?.drop();
    await postgres?.stop();
    await redis?.stop();
  });

  /** The addresses of the servers. What a snippet makes in PostgreSQL goes into a database of this test. */
  function servers(): Record<string, string> {
    return { ...(redis && { REDIS_URL: redis.url }), ...(database && { DATABASE_URL: database.url }) };
  }

  it.each(snippets.filter(({ kind }) => kind === "test"))(
    "$name passes as a test",
    { timeout: 60_000 },
    async ({ program }) => {
      expect(await runToEnd(program, env)).toMatch(/^# fail 0$/m);
    },
  );

  it.each(snippets.filter(({ kind }) => kind === "sender"))(
    "$name sends what a receiver takes",
    async ({ program }) => {
      const received: string[] = [];
      const server = createServer(
        bluumHandler(createReceiver({ secret }).on("*", ({ type }) => void received.push(type))),
      );
      await new Promise<void>((resolve) => server.listen(0, resolve));
      const { port } = server.address() as AddressInfo;
      expect(await runToEnd(program, { ...env, PORT: String(port) })).toBe('200 {"received":true}\n');
      expect(received).toEqual(["order.filled"]);
      server.close();
    },
  );

  const listening = snippets
    .filter(({ kind }) => kind === "server" || kind === "module")
    .filter(({ needs }) => needs.every((variable) => available[variable]));
  it.each(listening)("$name takes a genuine delivery once and no forged one", async (snippet) => {
    const { url, prints, stop } = await start(snippet, { ...env, ...servers() });
    const markers: string[] = [];
    try {
      for (const path of pathsOf(snippet))
        markers.push(await deliverTo(url + path, await schemeOf(snippet), typeOf(snippet)));
      for (const marker of markers) await prints(marker);
    } finally {
      const printed = (await stop()).split("\n");
      for (const marker of markers) expect(printed.filter((line) => line.includes(marker))).toHaveLength(1);
      expect(printed.join("\n")).not.toContain("forged");
    }
  });
});

describe("the README", () => {
  const text = readText("README.md");

  it("has at most 1,500 words and 220 lines, code included, as wc counts them", () => {
    expect(text.split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(1_500);
    expect(text.split("\n").length - 1).toBeLessThanOrEqual(220);
  });
});

describe("the links of the documentation", () => {
  const markdown = [...pages, "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "examples/README.md"];

  it.each(markdown)("of %s lead somewhere", (page) => {
    expect(brokenLinks(ROOT, page)).toEqual([]);
  });
});

/** Sends one event genuine, again, and forged; gives the mark by which the app's output shows that it saw the genuine one. */
async function deliverTo(
  url: string,
  scheme: Parameters<typeof signDelivery>[0]["scheme"],
  type: string,
): Promise<string> {
  const marker = `mark${Math.random().toString(36).slice(2)}`;
  const sign = (by: string, mark: string) => {
    const data = { id: `ord_${mark}`, average_price: mark, workflow_id: mark };
    return signDelivery({ secret: by, event: sampleEvent(type, { data }), ...(scheme && { scheme }) });
  };
  const genuine = sign(secret, marker);
  expect((await fetch(url, genuine)).status).toBeOneOf([200, 204]);
  expect(await (await fetch(url, genuine)).json()).toEqual({ received: true, duplicate: true });
  const forged = await fetch(url, sign(`whsec_${Buffer.alloc(32).toString("base64")}`, "forged"));
  expect(await forged.json()).toEqual({ error: { code: "signature_mismatch" } });
  return marker;
}

function pathsOf({ code }: Snippet): string[] {
  const paths = [...code.matchAll(/"(\/[\w/]*webhooks\/bluum)"/g)].map(([, path = ""]) => path);
  return paths.length > 0 ? [...new Set(paths)] : ["/webhooks/bluum"];
}

/** The first event that the snippet handles by name. */
function typeOf({ code }: Snippet): string {
  return /(?<!ts-expect-error.*\n.*)(?:\.on\(|=== |case )"([a-z_]+\.[a-z_.]+)"/.exec(code)?.[1] ?? "order.filled";
}

async function schemeOf({ code, program }: Snippet): Promise<Parameters<typeof signDelivery>[0]["scheme"]> {
  if (!code.includes("export const scheme")) return undefined;
  process.env.BLUUM_WEBHOOK_SECRET = secret;
  return ((await import(program)) as { scheme: Parameters<typeof signDelivery>[0]["scheme"] }).scheme;
}
