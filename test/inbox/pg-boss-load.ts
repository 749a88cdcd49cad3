import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { PgBoss, PgBossInboxOptions } from "../../src/inbox/pg-boss.ts";

/** A pg-boss of any version. */
export interface AnyBoss extends PgBoss {
  on(event: "error", listener: (error: unknown) => void): void;
  start(): Promise<unknown>;
  stop(options: object): Promise<unknown>;
}

/** What a worker that will be killed is told. */
export interface Victim {
  readonly folder: string;
  readonly url: string;
  readonly schema: string;
  readonly queue: string;
  readonly options: Partial<PgBossInboxOptions>;
}

type Constructor = new (options: object) => AnyBoss;

/** Starts the pg-boss that is installed in a folder. */
export async function loadBoss(folder: string, options: object): Promise<AnyBoss> {
  const require = createRequire(join(folder, "package.json"));
  const entry = require.resolve(folder.endsWith("pg-boss10") ? folder : "pg-boss");
  const module = (await import(pathToFileURL(entry).href)) as {
    readonly PgBoss?: Constructor;
    readonly default?: Constructor;
  };
  const Boss = module.PgBoss ?? module.default;
  if (Boss === undefined) throw new Error(`no pg-boss in ${folder}`);
  const boss = new Boss(options);
  boss.on("error", () => {});
  await boss.start();
  return boss;
}
