import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { exhaustive, inFull } from "../exhaustive.ts";
import { command } from "../runtimes/command.mjs";
import { installRuntime } from "../runtimes/install.mjs";
import { RUNTIMES } from "../runtimes/pins.mjs";
import { findPostgres } from "../services/postgres.ts";

const VERSION = "12.38.0";
/** A Node that pg-boss 12 takes and that runs TypeScript as it is. */
const NODE = RUNTIMES.find(({ name }) => name === "Node 24");

describe.runIf(exhaustive)("pgBossInbox under a Node that runs TypeScript", inFull, async () => {
  const service = exhaustive ? await findPostgres() : undefined;
  const url = service?.url ?? "";
  afterAll(() => service?.stop());

  it.runIf(service !== undefined).each(["storing", "working", "parking", "crashes", "ordered"])(
    "keeps the contract on pg-boss 12: %s",
    async (group) => expect(await failuresOn(installBoss, url, group)).toEqual([]),
    600_000,
  );

  it.runIf(service !== undefined)(
    "keeps the contract on pg-boss 10: crashes",
    async () => expect(await failuresOn(async () => resolve("node_modules/pg-boss10"), url, "crashes")).toEqual([]),
    600_000,
  );
});

/** The scenarios of a group that failed on the pg-boss in a folder; none, with a warning, if it or its Node cannot be installed. */
async function failuresOn(install: () => Promise<string>, url: string, group: string): Promise<object[]> {
  if (NODE === undefined) throw new Error("the runtimes name no such Node");
  const places = await Promise.all([installRuntime(NODE), install()]).catch((error: Error) => {
    if (process.env.CI === "true") throw error;
    console.warn(`Skipped, since it cannot be installed here: ${error.message}`);
  });
  if (places === undefined) return [];
  const [node, folder] = places;
  const printed = await command(node, ["test/inbox/pg-boss-child.ts", folder, url, group], process.cwd());
  const lines = printed.trim().split("\n");
  return lines.map((line) => JSON.parse(line) as { error?: string }).filter(({ error }) => error !== undefined);
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
