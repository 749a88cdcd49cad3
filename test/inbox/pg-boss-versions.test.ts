import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it, type TestContext } from "vitest";
import { exhaustive } from "../exhaustive.ts";
import { command } from "../runtimes/command.mjs";
import { installRuntime } from "../runtimes/install.mjs";
import { RUNTIMES } from "../runtimes/pins.mjs";
import { findPostgres } from "../services/postgres.ts";

const VERSION = "12.38.0";
/** A Node that pg-boss 12 takes and that runs TypeScript as it is. */
const NODE = RUNTIMES.find(({ name }) => name === "Node 24");

const service = exhaustive ? await findPostgres() : undefined;
afterAll(() => service?.stop());

describe("pgBossInbox under a Node that runs TypeScript", () => {
  it.runIf(service !== undefined)(
    "keeps the contract and the order on pg-boss 12, also where workers are killed",
    async (context) => {
      const folder = await installed(context, installBoss);
      expect(await failuresOn(context, folder)).toEqual([]);
    },
    600_000,
  );

  it.runIf(service !== undefined)(
    "keeps the contract on pg-boss 10, also where workers are killed",
    async (context) => {
      expect(await failuresOn(context, resolve("node_modules/pg-boss10"))).toEqual([]);
    },
    600_000,
  );
});

/** The scenarios that failed on the pg-boss in a folder. */
async function failuresOn(context: TestContext, folder: string): Promise<object[]> {
  if (NODE === undefined) throw new Error("the runtimes name no such Node");
  const node = await installed(context, () => installRuntime(NODE));
  const printed = await command(node, ["test/inbox/pg-boss-child.ts", folder, service?.url ?? ""], process.cwd());
  const lines = printed.trim().split("\n");
  expect(lines.length).toBeGreaterThan(20);
  return lines.map((line) => JSON.parse(line) as { error?: string }).filter(({ error }) => error !== undefined);
}

/** Skips the test if it cannot be installed. */
async function installed(context: TestContext, install: () => Promise<string>): Promise<string> {
  return install().catch((error: Error) => {
    if (process.env.CI === "true") throw error;
    return context.skip(`cannot be installed here: ${error.message}`);
  });
}

async function installBoss(): Promise<string> {
  const folder = resolve(`node_modules/.cache/pg-boss-${VERSION}`);
  if (existsSync(join(folder, "package-lock.json"))) return folder;
  mkdirSync(folder, { recursive: true });
  // npm runs under this Node, pg-boss under the other one.
  const options = ["--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"];
  await command("npm", ["install", ...options, "--engine-strict=false", `pg-boss@${VERSION}`], folder);
  return folder;
}
