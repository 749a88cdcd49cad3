import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
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

describe("pgBossInbox on pg-boss 12", () => {
  it.runIf(service !== undefined)(
    "keeps the contract, and the order",
    async (context) => {
      const installed = await install().catch((error: Error) => error);
      if (installed instanceof Error) {
        if (process.env.CI === "true") throw installed;
        return context.skip(`pg-boss ${VERSION} and its Node cannot be installed: ${installed.message}`);
      }
      const { node, folder } = installed;
      const printed = await command(node, ["test/inbox/pg-boss-child.ts", folder, service?.url ?? ""], process.cwd());
      const outcomes = printed
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { name: string; error?: string });
      expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([]);
      expect(outcomes.length).toBeGreaterThan(25);
    },
    600_000,
  );
});

async function install(): Promise<{ readonly node: string; readonly folder: string }> {
  if (NODE === undefined) throw new Error("the runtimes name no such Node");
  const node: string = await installRuntime(NODE);
  const folder = resolve(`node_modules/.cache/pg-boss-${VERSION}`);
  if (!existsSync(join(folder, "package-lock.json"))) {
    mkdirSync(folder, { recursive: true });
    const options = ["--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"];
    // npm runs under this Node, pg-boss under the other one.
    await command("npm", ["install", ...options, "--engine-strict=false", `pg-boss@${VERSION}`], folder);
  }
  return { node, folder };
}
