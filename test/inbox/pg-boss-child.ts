// Runs the scenarios on the pg-boss in a folder, under the Node that runs this file: argv is the folder, the URL of PostgreSQL and a
// part of the names. Prints the outcome of each scenario as one line of JSON.
import { randomBytes } from "node:crypto";
import pg from "pg";
import { crashes } from "./pg-boss-crashes.ts";
import { loadBoss } from "./pg-boss-load.ts";
import { everywhere, ordered, type StartedBoss } from "./pg-boss-scenarios.ts";

const [folder = "", url = "", only = ""] = process.argv.slice(2);
const schema = `bluum_test_${randomBytes(8).toString("hex")}`;
const boss = await loadBoss(folder, { connectionString: url, schema, max: 4 });
const started: StartedBoss = { url, boss, schema, folder };
const { storing, working, parking } = everywhere;
const scenarios = {
  ...storing,
  ...working,
  ...parking,
  ...crashes,
  ...(boss.getInstances === undefined ? {} : ordered),
};

for (const [name, run] of Object.entries(scenarios)) {
  if (!name.includes(only)) continue;
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
