import { randomBytes } from "node:crypto";
import pg from "pg";
import PgBoss10 from "pg-boss10";
import { afterAll, beforeAll, describe, it } from "vitest";
import { pgBossInbox } from "../../src/inbox/pg-boss.ts";
import { type InboxUnderTest, inboxContract } from "../../src/testing/inbox-contract.ts";
import { findPostgres } from "../services/postgres.ts";

const service = await findPostgres();
const url = service?.url ?? "";
const schema = `bluum_test_${randomBytes(8).toString("hex")}`;
const retry = { attempts: 3, backoffMs: 200, maxBackoffMs: 1_000 };

interface Connected {
  readonly boss: PgBoss10;
  readonly pool: pg.Pool;
}

async function connect(): Promise<Connected> {
  const boss = new PgBoss10({ connectionString: url, schema, max: 5, supervise: false, schedule: false });
  boss.on("error", () => {});
  await boss.start();
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  pool.on("error", () => {});
  return { boss, pool };
}

/** All cases share the connections, as many of them would be more than a server takes. */
function create(own: Connected, other: Connected): InboxUnderTest {
  const queue = `q_${randomBytes(8).toString("hex")}`;
  let isCut = false;
  const inboxOf = ({ boss, pool }: Connected) =>
    pgBossInbox(boss, { pool, queue, schema, retry, lockMs: 1_000, store: { schema, table: queue } });
  const cuttable = <T extends object>(target: T) => cutWhile(() => isCut, target);
  return {
    inbox: inboxOf({ boss: cuttable(own.boss), pool: cuttable(own.pool) }),
    peer: inboxOf(other),
    retry,
    keeps: { order: false },
    patienceMs: 60_000,
    cutOff() {
      isCut = true;
      return () => {
        isCut = false;
      };
    },
  };
}

const ASKING = new Set(["query", "connect", "fetch", "send", "complete", "fail", "deleteJob", "createQueue"]);

/** An object whose calls fail while it is cut off, as calls over a broken network do. */
function cutWhile<T extends object>(isCut: () => boolean, target: T): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (isCut() && ASKING.has(String(name))) return () => Promise.reject(new Error("the connection is lost"));
      return value.bind(target);
    },
  });
}

describe.skipIf(!service)("the contract of inboxes on pg-boss 10", () => {
  let own: Connected;
  let other: Connected;

  beforeAll(async () => {
    own = await connect();
    other = await connect();
  });
  afterAll(async () => {
    await Promise.all([own, other].map(({ boss }) => boss.stop({ graceful: false })));
    await own.pool.query(`DROP SCHEMA ${schema} CASCADE`);
    await Promise.all([own, other].map(({ pool }) => pool.end()));
    await service?.stop();
  });

  for (const { name, run, timeoutMs } of inboxContract(() => create(own, other))) it.concurrent(name, run, timeoutMs);
});
