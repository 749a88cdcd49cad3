import { randomBytes } from "node:crypto";
import * as bullmq from "bullmq";
import * as bullmq5 from "bullmq5";
import { Redis } from "ioredis";
import pg from "pg";
import PgBoss from "pg-boss10";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { bullmqInbox } from "../../src/inbox/bullmq.ts";
import type { Inbox } from "../../src/inbox/inbox.ts";
import { pgBossInbox } from "../../src/inbox/pg-boss.ts";
import { exhaustive, inFull } from "../exhaustive.ts";
import { freePort } from "../services/ports.ts";
import { findPostgres } from "../services/postgres.ts";
import { canStartRedis, findRedis, startRedis } from "../services/redis.ts";
import { appWith, message, park, processed, runBin } from "./inbox-support.ts";

const redis = await findRedis();
const postgres = await findPostgres();
const startsRedis = await canStartRedis();
afterAll(() => Promise.all([redis?.stop(), postgres?.stop()]));

/** A time limit for tests that start a dozen processes, one after the other, in milliseconds. */
const MANY_PROCESSES_MS = 60_000;

const three = [message("evt_1"), message("evt_2", { type: "order.rejected" }), message("evt_3")];

/** Every command, on an inbox with three parked events. */
async function expectCommandsToWork(inbox: Inbox, run: (line: string) => ReturnType<typeof runBin>) {
  await park(inbox, three);
  expect(JSON.parse((await run("stats --json")).out)).toMatchObject({ engine: inbox.name, waiting: 0, parked: 3 });
  const listed = await run("parked --type order.filled");
  expect(listed).toMatchObject({ code: 0, err: "" });
  expect(listed.out).toMatch(/evt_1 +order\.filled +1 +2\d{3}-.*no such account\n.*evt_3/);
  expect(listed.out).not.toContain("evt_2");
  const shown = JSON.parse((await run("show orders/evt_2 --json")).out);
  expect(shown.event).toMatchObject({ key: "orders/evt_2", attempts: 1, message: three[1] });
  expect(await run("show orders/evt_9")).toMatchObject({ code: 1, out: "" });
  expect(await run("redrive --all --dry-run")).toMatchObject({ out: expect.stringMatching(/would redrive 3\n$/) });
  expect(await run("discard orders/evt_2 --yes")).toEqual({ code: 0, out: "1 discarded\n", err: "" });
  expect(await run("redrive orders/evt_3")).toEqual({ code: 0, out: "1 redriven\n", err: "" });
  expect(await run("redrive --type order.filled --yes")).toEqual({ code: 0, out: "1 redriven\n", err: "" });
  expect(await run("redrive --all --yes")).toMatchObject({ code: 1, err: "no parked event matches.\n" });
  expect(await processed(inbox, 2)).toEqual(["evt_3", "evt_1"]);
}

describe.skipIf(!exhaustive || redis === undefined)("inbox --redis", inFull, () => {
  const url = redis?.url ?? "";
  const client = new Redis(url, { maxRetriesPerRequest: null });
  afterAll(() => client.disconnect());

  /** A prefix of its own, whose keys are deleted at the end of the test. */
  function ownPrefix(): string {
    const prefix = `cli-${randomBytes(6).toString("hex")}`;
    onTestFinished(async () => {
      const keys = await keysOf(prefix);
      if (keys.length > 0) await client.del(keys);
    });
    return prefix;
  }

  async function keysOf(prefix: string): Promise<string[]> {
    const found: string[] = [];
    for await (const keys of client.scanStream({ match: `${prefix}*`, count: 1_000 })) found.push(...keys);
    return found;
  }

  it.each([
    ["bullmq", bullmq, { bullmq: "bullmq", ioredis: "ioredis" }],
    ["bullmq5", bullmq5, { bullmq: "bullmq5", ioredis: "ioredis5" }],
    // Its own ioredis is used.
    ["bullmq5", bullmq5, { bullmq: "bullmq5" }],
  ])("works with %s", { timeout: MANY_PROCESSES_MS }, async (_, { Queue, Worker }, packages) => {
    const prefix = ownPrefix();
    const { hostname: host, port } = new URL(url);
    const connection = { host, port: Number(port) };
    const inbox = bullmqInbox({ Queue, Worker, connection, name: "orders", prefix, warn: false } as never);
    onTestFinished(() => inbox.close());
    const cwd = appWith(packages);
    const options = ["--redis", "--queue", "orders", "--prefix", prefix];
    const env = { REDIS_URL: url };
    await expectCommandsToWork(inbox, (line) => runBin(["inbox", ...line.split(" "), ...options], { cwd, env }));
  });

  it("creates no queue", async () => {
    const prefix = ownPrefix();
    const args = ["inbox", "stats", "--redis", url, "--queue", "ordres", "--prefix", prefix];
    const { code, err } = await runBin(args);
    expect(code).toBe(1);
    expect(err).toMatch(/^there is no inbox: Redis has no queue ordres with the prefix cli-/);
    expect(await keysOf(prefix)).toEqual([]);
  });

  it("exits with 3 if Redis cannot be reached", async () => {
    const unreachable = `redis://:hunter2@127.0.0.1:${await freePort()}`;
    const { code, out, err } = await runBin(["inbox", "stats", "--redis", unreachable, "--queue", "orders"]);
    expect([code, out]).toEqual([3, ""]);
    expect(err).toMatch(/^the server of --redis could not be reached: connect ECONNREFUSED/);
    expect(err).not.toContain("hunter2");
  });

  it.runIf(startsRedis)("never prints the password", async () => {
    const locked = await startRedis("--requirepass", "correct horse");
    onTestFinished(() => locked.stop());
    const stats = (password: string) => {
      const address = locked.url.replace("//", `//:${encodeURIComponent(password)}@`);
      return runBin(["inbox", "stats", "--redis", address, "--queue", "orders"]);
    };
    const refused = await stats("hunter2 hunter2");
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toMatch(/^the server of --redis refused the connection: WRONGPASS/);
    expect(refused.err).not.toContain("hunter2");
    expect(await stats("correct horse")).toMatchObject({ code: 1, err: expect.stringContaining("there is no inbox") });
  });
});

describe.skipIf(!exhaustive || postgres === undefined)("inbox --postgres", inFull, () => {
  const url = postgres?.url ?? "";
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  afterAll(() => pool.end());

  /** A started pg-boss in a schema of its own, which is dropped at the end of the test. */
  async function startBoss() {
    const schema = `cli_${randomBytes(6).toString("hex")}`;
    const boss = new PgBoss({ connectionString: url, schema, max: 2 });
    boss.on("error", () => {});
    await boss.start();
    onTestFinished(async () => {
      await boss.stop({ graceful: false });
      await pool.query(`DROP SCHEMA ${schema} CASCADE`);
    });
    return { boss, schema };
  }

  const run = (line: string, schema: string, address = url) => {
    const cwd = appWith({ "pg-boss": "pg-boss10", pg: "pg" });
    const options = ["--postgres", "--queue", "orders", "--schema", schema];
    return runBin(["inbox", ...line.split(" "), ...options], { cwd, env: { DATABASE_URL: address } });
  };

  it("works with pg-boss 10", { timeout: MANY_PROCESSES_MS }, async () => {
    const { boss, schema } = await startBoss();
    const options = { pool, queue: "orders", schema, retry: { attempts: 3, backoffMs: 7_000 }, store: { schema } };
    const inbox = pgBossInbox(boss as never, options);
    // The command makes sure that the table of the dedupe store is there, in the schema of the connection.
    const address = `${url}?options=-csearch_path%3D${schema}`;
    await expectCommandsToWork(inbox, (line) => run(line, schema, address));
    // The settings of the app's queue are those of the app.
    expect(await boss.getQueue("orders")).toMatchObject({ retryLimit: 2, retryDelay: 7 });
  });

  it("creates no queue and no schema", async () => {
    const { boss, schema } = await startBoss();
    const { code, err } = await run("stats", schema);
    expect(code).toBe(1);
    expect(err).toMatch(/^there is no inbox: pg-boss has no queue orders in cli_/);
    expect(await boss.getQueue("orders")).toBeNull();
    expect(await run("stats", "cli_missing")).toMatchObject({ code: 1, err: expect.stringMatching(/not installed/) });
    const { rows } = await pool.query("SELECT 1 FROM pg_namespace WHERE nspname = 'cli_missing'");
    expect(rows).toEqual([]);
  });

  it("exits with 3 if PostgreSQL cannot be reached, and never prints the password", async () => {
    const unreachable = `postgres://postgres:hunter2@127.0.0.1:${await freePort()}/test`;
    const { code, out, err } = await run("stats", "pgboss", unreachable);
    expect([code, out]).toEqual([3, ""]);
    expect(err).toMatch(/^the server of --postgres could not be reached: connect ECONNREFUSED/);
    expect(err).not.toContain("hunter2");
    const { host } = new URL(url);
    const refused = await run("stats", "pgboss", `postgres://nobody_there:hunter2@${host}/postgres`);
    expect(refused.code).toBe(1);
    expect(refused.err).not.toContain("hunter2");
  });
});
