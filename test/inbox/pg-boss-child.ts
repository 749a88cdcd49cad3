// Runs the scenarios on the pg-boss in a folder, under the Node that runs this file: argv is the folder, the URL of PostgreSQL and
// the group of scenarios. Prints the outcome of each scenario as one line of JSON.
import { randomBytes } from "node:crypto";
import pg from "pg";
import { crashes } from "./pg-boss-crashes.ts";
import { loadBoss } from "./pg-boss-load.ts";
import { everywhere, ordered, type Scenarios, type StartedBoss } from "./pg-boss-scenarios.ts";

const [folder = "", url = "", group = ""] = process.argv.slice(2);
const schema = `bluum_test_${randomBytes(8).toString("hex")}`;
const boss = await loadBoss(folder, { connectionString: url, schema, max: 4 });
const started: StartedBoss = { url, boss, schema, folder };
const groups: Readonly<Record<string, Scenarios>> = { ...everywhere, crashes, ordered };

for (const [name, run] of Object.entries(groups[group] ?? {})) {
  const startedAt = performance.now();
  const error = await run(started).then(
    () => undefined,
    (thrown: Error) => thrown.stack ?? String(thrown),
  );
  process.stdout.write(`${JSON.stringify({ name, ms: Math.round(performance.now() - startedAt), error })}\n`);
}

await boss.stop({ graceful: false });
const client = new pg.Client({ connectionString: url });
await client.connect();
await client.query(`DROP SCHEMA ${schema} CASCADE`);
await client.end();
