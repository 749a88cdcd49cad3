// pgbench with statements of our own.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** @returns `{ rate }`: how many events a second it brings through, each with all of the statements, prepared */
export async function pgbench(url, statements, { count, concurrency }) {
  const folder = mkdtempSync(join(tmpdir(), "bluum-pgbench-"));
  try {
    const file = join(folder, "event.sql");
    writeFileSync(file, scriptOf(statements));
    const perClient = Math.max(1, Math.round(count / concurrency));
    const args = [
      "-n",
      "-M",
      "prepared",
      "-c",
      concurrency,
      "-j",
      1,
      "-t",
      perClient,
      ...definitionsOf(statements),
      "-f",
      file,
      url,
    ];
    const { stdout } = await promisify(execFile)("pgbench", args.map(String));
    return { rate: Number(/tps = ([\d.]+) \(without initial/.exec(stdout)[1]) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first parameter is the key, a fresh number each time. */
function scriptOf(statements) {
  const named = statements.map(({ text }, nth) =>
    text
      // Where a lock is waited for too long, the store asks again; a client of pgbench would end.
      .replace(/'\d+ms'/g, "'10s'")
      .replace(/\$(\d+)/g, (_, place) => (place === "1" ? ":key" : `:${nameOf(nth, place)}`)),
  );
  return ["\\set key random(1000000000000000, 9000000000000000)", ...named.map((text) => `${text};`), ""].join("\n");
}

/** The other parameters stay what they were. */
function definitionsOf(statements) {
  return statements.flatMap(({ values }, nth) =>
    values.slice(1).flatMap((value, index) => ["-D", `${nameOf(nth, index + 2)}=${value}`]),
  );
}

function nameOf(statement, place) {
  return `value_${statement}_${place}`;
}
