// Runs the scenarios on the pg-boss in a folder, under the Node that runs this file: argv is the folder and the URL of PostgreSQL.
// Prints the outcome of each scenario as one line of JSON.
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import pg from "pg";
import type { PgBoss } from "../../src/inbox/pg-boss.ts";
import { everywhere, ordered, type StartedBoss } from "./pg-boss-scenarios.ts";

interface Started extends PgBoss {
  on(event: "error", listener: (error: unknown) => void): void;
  start(): Promise<unknown>;
  stop(options: object): Promise<unknown>;
}

const [folder = "", url = "", only = ""] = process.argv.slice(2);
const entry = createRequire(join(folder, "package.json")).resolve("pg-boss");
const { PgBoss: Boss } = (await import(pathToFileURL(entry).href)) as { PgBoss: new (options: object) => Started };
const schema = `bluum_test_${randomBytes(8).toString("hex")}`;
const boss = new Boss({ connectionString: url, schema, max: 4 });
boss.on("error", () => {});
await boss.start();
const started: StartedBoss = { url, boss, schema };

for (const [name, run] of Object.entries({ ...everywhere, ...ordered })) {
  if (!name.includes(only)) continue;
  const error = await run(started).then(
    () => undefined,
    (thrown: Error) => thrown.stack ?? String(thrown),
  );
  process.stdout.write(`${JSON.stringify({ name, error })}\n`);
}

await boss.stop({ graceful: false });
const client = new pg.Client({ connectionString: url });
await client.connect();
await client.query(`DROP SCHEMA ${schema} CASCADE`);
await client.end();
