import { randomBytes } from "node:crypto";
import pg from "pg";
import PgBoss10 from "pg-boss10";
import { afterAll, beforeAll, describe, it } from "vitest";
import { pgBossInbox } from "../../src/inbox/pg-boss.ts";
import { type InboxUnderTest, inboxContract } from "../../src/testing/inbox-contract.ts";
import { flakyProxy } from "../services/flaky-proxy.ts";
import { findPostgres } from "../services/postgres.ts";

const service = await findPostgres();
const url = service?.url ?? "";
const schema = `bluum_test_${randomBytes(8).toString("hex")}`;
const retry = { attempts: 3, backoffMs: 200, maxBackoffMs: 1_000 };

async function connect(at: string, queue: string) {
  const boss = new PgBoss10({ connectionString: at, schema, max: 2, supervise: false, schedule: false });
  boss.on("error", () => {});
  await boss.start();
  const pool = new pg.Pool({ connectionString: at, max: 3 });
  pool.on("error", () => {});
  const inbox = pgBossInbox(boss, { pool, queue, schema, retry, lockMs: 1_000, store: { schema, table: queue } });
  return {
    inbox,
    async close() {
      await boss.stop({ graceful: false });
      await pool.end();
    },
  };
}

/** The inbox reaches PostgreSQL through a proxy, so that it can be cut off alone. */
async function create(): Promise<InboxUnderTest> {
  const queue = `q_${randomBytes(8).toString("hex")}`;
  const proxy = await flakyProxy(Number(new URL(url).port || 5432));
  const through = new URL(url);
  through.host = `127.0.0.1:${proxy.port}`;
  const [own, peer] = await Promise.all([connect(through.href, queue), connect(url, queue)]);
  return {
    inbox: own.inbox,
    peer: peer.inbox,
    retry,
    keeps: { order: false },
    patienceMs: 60_000,
    async cutOff() {
      await proxy.refuse();
      return () => proxy.open();
    },
    async dispose() {
      await Promise.all([own.close(), peer.close()]);
      await proxy.close();
    },
  };
}

describe.skipIf(!service)("the contract of inboxes on pg-boss 10", () => {
  const boss = new PgBoss10({ connectionString: url, schema });
  boss.on("error", () => {});

  beforeAll(async () => void (await boss.start()));
  afterAll(async () => {
    await boss.stop({ graceful: false });
    const client = new pg.Client(url);
    await client.connect();
    await client.query(`DROP SCHEMA ${schema} CASCADE`);
    await client.end();
    await service?.stop();
  });

  for (const { name, run, timeoutMs } of inboxContract(create)) it.concurrent(name, run, timeoutMs);
});
