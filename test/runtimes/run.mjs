// `npm run test:runtimes [-- --write] [-- name ...]`: the packed package on every runtime, and under every TypeScript.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { record } from "./compatibility.mjs";
import { checkTypes } from "./consumers.mjs";
import { fillUserFolder } from "./folder.mjs";
import { startHost } from "./host.mjs";
import { installRuntime } from "./install.mjs";
import { driveOverHttp } from "./over-http.mjs";
import { RUNTIMES } from "./pins.mjs";

/** How many hosts run at once: the checks mostly wait. */
const AT_ONCE = 2;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "boolean" } } });
const asked = RUNTIMES.filter(
  ({ name }) => positionals.length === 0 || positionals.some((part) => name.toLowerCase().includes(part.toLowerCase())),
);

const folder = mkdtempSync(join(tmpdir(), "bluum-webhooks-runtimes-"));
let failures = 0;
let missing = 0;
try {
  await fillUserFolder(folder);
  const queue = [...asked];
  const lanes = Array.from({ length: AT_ONCE }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await tryRuntime(next);
  });
  await Promise.all(lanes);
  if (positionals.length === 0) for (const line of await checkTypes(folder)) tell(line);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failures > 0) process.exitCode = 1;
else if (missing > 0) process.exitCode = process.env.CI === "true" ? 1 : 0;
else if (positionals.length === 0)
  for (const stale of record(values.write === true)) tell({ subject: stale, errors: [""] });

async function tryRuntime(runtime) {
  const subject = `${runtime.name} (${runtime.package} ${runtime.version})`;
  let binary;
  try {
    binary = await installRuntime(runtime);
  } catch (error) {
    missing += 1;
    console.log(
      `${process.env.CI === "true" ? "FAILED" : "skipped"}: ${subject} cannot be installed here\n${error.message}`,
    );
    return;
  }
  for (const args of runtime.hosts) tell({ subject: `${subject}, ${args.at(-1)}`, ...(await tryHost(binary, args)) });
}

/** Runs the suite inside a host, and calls the host from outside at each door that it mounted. */
async function tryHost(binary, args) {
  let host;
  try {
    host = await startHost(binary, args, folder);
    const { doors } = await import(`${folder}/doors.mjs`);
    const { suite, ...mounts } = host.ports;
    const [within] = [suite, ...Object.values(mounts)].filter(Boolean);
    const outcomes = await Promise.all([
      fetch(`http://127.0.0.1:${within}/suite`).then((response) => response.json()),
      ...Object.entries(mounts).map(([door, port]) => driveOverHttp(doors, port, door)),
    ]);
    const checks = outcomes.flat();
    const errors = checks.filter(({ error }) => error !== undefined).map(({ name, error }) => `${name}\n${error}`);
    if (errors.length > 0) errors.push(`It wrote:\n${host.said()}`);
    return { checks: checks.length, errors };
  } catch (error) {
    return { errors: [`${error.stack}\n${host?.said() ?? ""}`] };
  } finally {
    await host?.stop();
  }
}

function tell({ subject, checks, errors }) {
  if (errors.length > 0) failures += 1;
  const came = errors.length === 0 ? "ok" : "FAILED";
  console.log(`${came}: ${subject}${checks === undefined ? "" : `, ${checks} checks`}`);
  for (const error of errors) console.log(`  ${error.replaceAll("\n", "\n  ")}`);
}
