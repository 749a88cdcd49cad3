import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { InspectedInbox } from "../../src/inbox/page/options.ts";
import { inspectInbox } from "../../src/inbox/page.ts";
import { codeWords, ROOT, readText, tableOf } from "./markdown.ts";
import { compileSnippets, removeSnippets, type Snippet, snippetsOf, start } from "./snippets.ts";

const PAGE = "docs/guides/inbox-page.md";
const secret = `whsec_${Buffer.from("a secret of 32 bytes for testing").toString("base64")}`;

// test/readme.test.ts sends deliveries to the snippet that receives them.
describe(PAGE, () => {
  const snippets = snippetsOf([PAGE]);
  const snippetWith = (mark: string) => snippets.find(({ code }) => code.includes(mark)) as Snippet;

  beforeAll(async () => {
    if (!existsSync(`${ROOT}dist/src/inbox/page.html`)) throw new Error("dist is missing: run `npm run build` first");
    await compileSnippets(snippets);
  }, 60_000);
  afterAll(removeSnippets);

  it("shows the page to operators alone, on Express", async () => {
    const { url, stop } = await start(snippetWith('"express"'), { BLUUM_WEBHOOK_SECRET: secret });
    try {
      const get = (cookie: string, query = "") =>
        fetch(`${url}/admin/inbox${query}`, { headers: { cookie }, redirect: "manual" });
      expect((await get("")).status).toBe(302);
      expect((await get("session=guest")).status).toBe(403);
      expect(await (await get("session=operator")).text()).toContain("<title>Inbox");
      expect(await (await get("session=operator", "?call=overview")).json()).toMatchObject({ engine: "sqlite" });
    } finally {
      await stop();
    }
  });

  it("shows it to operators alone, on Hono", async () => {
    const { admin } = (await import(snippetWith('"hono"').program)) as {
      admin(inbox: InspectedInbox): { request(path: string, init?: RequestInit): Promise<Response> };
    };
    const empty = { events: [] };
    const nothing = async () => 0;
    const inbox = {
      name: "none",
      stats: async () => ({ waiting: 0, delayed: 0, active: 0, parked: 0, oldestWaitingMs: 0 }),
      parked: async () => empty,
      redrive: nothing,
      discard: nothing,
    };
    const app = admin(inbox);
    const get = (role: string) => app.request("/admin/inbox?call=parked", { headers: { cookie: `session=${role}` } });
    expect((await get("guest")).status).toBe(403);
    expect(await (await get("operator")).json()).toEqual({ events: [], cursor: null });
  });

  it("lists the options", () => {
    const names = tableOf(PAGE, "inspect-inbox-options").map(([name = ""]) => codeWords(name)[0]);
    const refusal = () => inspectInbox({} as never, {} as never);
    expect(refusal).toThrow();
    const unknown = () =>
      inspectInbox({ stats() {}, parked() {}, redrive() {}, discard() {} } as never, { none: 1 } as never);
    expect(unknown).toThrow(`there are ${names.join(", ")}`);
  });

  it("has at most 600 words", () => {
    const prose = readText(PAGE).replace(/```.*?```/gs, "");
    expect(prose.split(/\s+/).length).toBeLessThanOrEqual(600);
  });
});
