import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT } from "../docs/markdown.ts";
import { freePort } from "../services/ports.ts";
import { findPostgres } from "../services/postgres.ts";
import { findRedis } from "../services/redis.ts";
import { installed, run } from "./programs.ts";

const DEMO = `${installed("demo")}/demo.mjs`;
const PTY = "/usr/bin/script";
const redis = await findRedis();
const postgres = await findPostgres();

describe("the demo", { timeout: 60_000 }, () => {
  const folders = [dirname(DEMO)];
  afterAll(async () => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    await redis?.stop();
    await postgres?.stop();
  });

  it("shows a table of the deliveries, without colours in a pipe, by `npm run demo` in a clone", async () => {
    const { code, output } = await run("scripts/demo.mjs");
    expect(code).toBe(0);
    expect(output).not.toContain("\u001b[");
    expect(output).toMatch(/^what was sent +answer +code or body +what the app did$/m);
    expect(output).toMatch(/^a fresh event +200 +\{"received":true\} +booked ord_1$/m);
    expect(output).toMatch(/^the same again +200 +\{"received":true,"duplicate":true\} +nothing$/m);
    expect(output).toMatch(/^a copy, while .* 503 +event_in_flight +nothing$/m);
    expect(output).toMatch(/^forged: .* 401 +signature_mismatch +nothing$/m);
    expect(output).toMatch(/^unsigned +401 +signature_missing +nothing$/m);
    expect(output).toMatch(/^ {2}its retry: only the second runs +200 .* mailed the investor$/m);
  });

  it("shows an event that outlives kill -9 and one that is parked, with an inbox", async () => {
    const { code, output } = await run(DEMO);
    expect(code).toBe(0);
    const [, chapter] = output.split("With an inbox");
    expect(chapter).toMatch(/^an event, while its handler is broken +200 +\{"received":true\} +threw an error$/m);
    expect(chapter).toMatch(/^ {2}killed with -9, repaired, started again +booked ord_2 in attempt 2$/m);
    expect(chapter).toMatch(/^ {2}a copy, afterwards +200 +\{"received":true,"duplicate":true\} +nothing$/m);
    expect(chapter).toMatch(/^one that fails in all .* 200 +\{"received":true\} +threw an error 3 times, parked it$/m);
    expect(chapter).toMatch(/^ {2}redriven, once the app is repaired +credited the deposit$/m);
    expect(chapter).toMatch(/^ {2}bluum-webhooks: parked: event .* failed and waits to be redriven \(attempts: 3\)$/m);
  });

  it("says what to install where there is no SQLite, and shows the rest", async () => {
    const folder = mkdtempSync(join(tmpdir(), "demo-test-"));
    try {
      cpSync(`${ROOT}examples/demo`, `${folder}/demo`, { recursive: true });
      mkdirSync(`${folder}/node_modules`);
      symlinkSync(ROOT, `${folder}/node_modules/bluum-webhooks`, "dir");
      symlinkSync(`${ROOT}node_modules/express`, `${folder}/node_modules/express`, "dir");
      const { code, output } = await run(`${folder}/demo/demo.mjs`);
      expect(output).toMatch(
        /^With an inbox.*\n\nNot shown, since it needs SQLite: npm install libsql\n\nWhat the op/m,
      );
      expect(output).toMatch(/^a fresh event +200/m);
      expect(code).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("fails and names the answer that it did not expect", async () => {
    const demo = readFileSync(DEMO, "utf8");
    const folder = installed("demo", "-changed");
    folders.push(folder);
    writeFileSync(`${folder}/demo.mjs`, demo.replace('"signature_missing"', '"signature_malformed"'));
    const { code, output } = await run(`${folder}/demo.mjs`);
    expect(code).toBe(1);
    expect(output).toMatch(/^unsigned .*\n {2}\^ expected 401, signature_malformed, nothing$/m);
    expect(output).toContain("1 of 22 answers");
  });

  it.skipIf(!existsSync(PTY))("keeps running on a terminal, with a page, until Ctrl-C", async () => {
    // In its own process group, as on a terminal, so that all of its processes get the signal.
    const child = spawn(PTY, ["-qec", `exec ${process.execPath} ${DEMO}`, "/dev/null"], { cwd: ROOT, detached: true });
    const ended = once(child, "close");
    try {
      let output = "";
      const page = await new Promise<string>((resolve, reject) => {
        child.stdout.setEncoding("utf8").on("data", (text) => {
          output += text;
          const [, address] = /more: \S*?(http:\/\/127\.0\.0\.1:\d+\/)/.exec(output) ?? [];
          if (address !== undefined) resolve(address);
        });
        ended.then(() => reject(new Error(`it ended:\n${output}`)));
      });
      for (const scenario of ["order-filled", "deposit-completed"]) {
        const told = await fetch(`${page}_inspector/scenarios/${scenario}`, { method: "POST" });
        expect(told.status).toBe(200);
      }
      const told = ["order.accepted", "transfer.deposit.initiated", "transfer.deposit.completed", "order.filled"];
      await expect
        .poll(async () => deliveredTypes(await (await fetch(`${page}_inspector/state`)).json()), { timeout: 15_000 })
        .toEqual(expect.arrayContaining(told));
      child.stdin.write("\u0003");
      expect((await ended)[0]).toBe(0);
    } finally {
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }
  });

  it("shows the same with a SQLite file, which it deletes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "demo-test-"));
    try {
      expect(await shownOn("sqlite", { TMPDIR: folder })).toBe(await shownOnMemory());
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.skipIf(!redis)("shows the same with Redis, where it leaves no key", async () => {
    const { url = "" } = redis ?? {};
    const client = new Redis(url);
    try {
      expect(await shownOn("redis", { REDIS_URL: url })).toBe(await shownOnMemory());
      expect(await client.keys("bluum-demo-*")).toEqual([]);
    } finally {
      client.disconnect();
    }
  });

  it.skipIf(!postgres)("shows the same with PostgreSQL, where it leaves no schema", async () => {
    const { url = "" } = postgres ?? {};
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      expect(await shownOn("postgres", { DATABASE_URL: url })).toBe(await shownOnMemory());
      const { rows } = await client.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bluum_demo_%'");
      expect(rows).toEqual([]);
    } finally {
      await client.end();
    }
  });

  it("says what to do when a store is missing, without the password of its URL", async () => {
    const port = await freePort();
    for (const [store, variable] of [
      ["redis", "REDIS_URL"],
      ["postgres", "DATABASE_URL"],
    ] as const) {
      const url = `${store}://user:hunter2@127.0.0.1:${port}/0`;
      const { code, output } = await run(DEMO, ["--store", store], { [variable]: url });
      expect(code).toBe(1);
      expect(output).toMatch(/^\w+ at 127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED.* name another in \w+_URL\.\n$/);
      expect(output).toContain(variable);
      expect(output).not.toContain("hunter2");
    }
  });

  it("lists the stores when it is asked for an unknown one", async () => {
    const { code, output } = await run(DEMO, ["--store", "carrier-pigeon"]);
    expect(code).toBe(1);
    expect(output).toBe('There is no store "carrier-pigeon". There are memory, sqlite, redis, postgres.\n');
  });
});

/** The types of the latest deliveries that were acknowledged. */
function deliveredTypes({ deliveries }: { deliveries: { type: string; state: string }[] }): string[] {
  return deliveries.slice(-6).flatMap(({ type, state }) => (state === "delivered" ? [type] : []));
}

let memory: Promise<string> | undefined;

/** What it shows on the memory store; it runs once. */
function shownOnMemory(): Promise<string> {
  memory ??= shownOn("memory");
  return memory;
}

/** The demo's output without the name of the store and the hashes of events, which depend on the time. */
async function shownOn(store: string, env: Record<string, string> = {}): Promise<string> {
  const { code, output } = await run(DEMO, ["--store", store], env);
  expect(output).toMatch(/^On \w/);
  expect(code).toBe(0);
  return output.slice(output.indexOf("\n")).replace(/sha256-[0-9a-f]{64}/g, "sha256-…");
}
