import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createBluumClient } from "../../src/client/index.ts";
import { settingsOf } from "../../src/client/options.ts";
import { credentials } from "../cli/provider-terminal.ts";
import { startBluum } from "../client/bluum-server.ts";
import { codeWords, ROOT, readText, tableOf, unionMembers } from "./markdown.ts";
import { compileSnippets, removeSnippets, runToEnd, snippetsOf } from "./snippets.ts";

const PAGE = "docs/reference/client.md";

describe(`the snippets of ${PAGE}`, () => {
  const snippets = snippetsOf([PAGE]);
  const programOf = (mark: string) => snippets.find(({ code }) => code.includes(mark))?.program ?? "";

  beforeAll(async () => {
    if (!existsSync(`${ROOT}dist/src/client/index.js`)) throw new Error("dist is missing: run `npm run build` first");
    await compileSnippets(snippets);
  }, 60_000);
  afterAll(() => {
    removeSnippets();
    vi.unstubAllEnvs();
  });

  it("create a missing endpoint, and leave it unchanged the next time", async () => {
    const server = await startBluum();
    const env = { ...credentials(server), BLUUM_WEBHOOK_SECRET: "a secret of 16 bytes or more" };
    expect(await runToEnd(programOf("export const ensured"), env)).toMatch(/^created wh_\w+\n$/);
    expect(await runToEnd(programOf("export const ensured"), env)).toMatch(/^unchanged wh_\w+\n$/);
    expect(server.webhooks.map(({ eventTypeNames }) => eventTypeNames)).toEqual([["order.filled", "transfer.*"]]);
  });

  it("run all calls", async () => {
    const server = await startBluum();
    expect(await runToEnd(programOf("export const names"), credentials(server))).toMatch(
      /^keep its secret: true\nwh_\w+ INACTIVE https:\/\/example\.com\/webhooks\/orders\n$/,
    );
    expect(server.webhooks).toEqual([]);
    expect(server.calls().at(-1)).toBe("GET /v1/webhooks/event-types");
  });

  it("tell a missing webhook from other failures", async () => {
    const server = await startBluum({ webhooks: [{ id: "wh_1" }] });
    for (const [name, value] of Object.entries(credentials(server))) vi.stubEnv(name, value);
    const { remove } = await import(programOf("async function remove"));
    expect(await remove("wh_1")).toBe("removed");
    expect(await remove("wh_1")).toBe("was not there");
    await expect(remove("../wh_1")).rejects.toMatchObject({ code: "configuration_invalid" });
  });

  it("are all run, here or in readme.test.ts", () => {
    expect(snippets.map(({ kind }) => kind)).toEqual(["part", "part", "part", "test"]);
  });
});

describe(`the tables of ${PAGE}`, () => {
  it("list every code in order", () => {
    const codes = unionMembers("src/client/errors.ts", "BluumApiErrorCode");
    expect(codes).toContain("unexpected_answer");
    expect(tableOf(PAGE, "codes").map(([code = ""]) => codeWords(code)[0])).toEqual(codes);
  });

  const rows = tableOf(PAGE, "options").map(([option = "", ...cells]) => [codeWords(option)[0] ?? "", ...cells]);

  it("list every option in order", () => {
    const [, behind = ""] = readText("src/client/options.ts").split("export interface BluumClientOptions {");
    const declared = [...(behind.split("\n}")[0] ?? "").matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name);
    expect(declared).toContain("retries");
    expect(rows.map(([option]) => option)).toEqual(declared);
  });

  const numeric = rows.filter(([, , bounds = ""]) => bounds.includes(" to "));
  it.each(numeric)("give default and bounds of %s", (option = "", byDefault = "", bounds = "") => {
    const known = { apiKey: "key", apiSecret: "secret", baseUrl: "sandbox" };
    const number = (text: string) => Number(text.replaceAll(",", ""));
    const [least = 0, most = 0] = bounds.split(" to ").map(number);
    expect({ ...settingsOf(known) }).toMatchObject({ [option]: number(byDefault) });
    for (const value of [least, most]) createBluumClient({ ...known, [option]: value });
    for (const value of [least - 1, most + 1])
      expect(() => createBluumClient({ ...known, [option]: value })).toThrow(option);
  });
});
