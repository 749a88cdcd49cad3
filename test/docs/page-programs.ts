import { existsSync } from "node:fs";
import { afterAll, beforeAll } from "vitest";
import { sampleEvent, signDelivery } from "../../src/testing/index.ts";
import { ROOT } from "./markdown.ts";
import { compileSnippets, type Running, removeSnippets, type Snippet, snippetsOf, start } from "./snippets.ts";

/**
 * Compiles the programs of a page before the tests of this file, and ends those that are started after them.
 *
 * @returns a function that starts the program that contains a text, and resolves once it listens
 */
export function programsOf(page: string): (mark: string, env: Record<string, string>) => Promise<Running> {
  const snippets = snippetsOf([page]);
  const running: Running[] = [];

  beforeAll(async () => {
    if (!existsSync(`${ROOT}dist/src/index.js`)) throw new Error("dist is missing: run `npm run build` first");
    await compileSnippets(snippets);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(running.map((each) => each.stop()));
    removeSnippets();
  });

  return async (mark, env) => {
    const program = await start(snippets.find(({ code }) => code.includes(mark)) as Snippet, env);
    running.push(program);
    return program;
  };
}

/** Posts an event, and gives the answer as `"200"` or `"401 signature_mismatch"`, or as `"200 duplicate"`. */
export async function post(url: string, secret: string, event: object): Promise<string> {
  const answer = await fetch(url, signDelivery({ secret, event }));
  const text = await answer.text();
  const { error, duplicate } = text.startsWith("{") ? JSON.parse(text) : {};
  return [answer.status, error?.code, duplicate && "duplicate"].filter(Boolean).join(" ");
}

/** An order that was filled at this price. */
export const order = (price: string): object => sampleEvent("order.filled", { data: { average_price: price } });
