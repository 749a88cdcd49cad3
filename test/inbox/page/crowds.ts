// Inboxes with very many events: one event is parked and one waits by the inbox itself, and the engine copies both.
import { randomBytes, randomUUID } from "node:crypto";
import PgBoss10 from "pg-boss10";
import type { Inbox } from "../../../src/inbox/inbox.ts";
import type { PostgresService } from "../../services/postgres.ts";
import type { RedisService } from "../../services/redis.ts";
import { ioredis } from "../../services/redis-clients.ts";
import { engines } from "../../stores/sqlite-engines.ts";
import { freshInbox as freshBullmqInbox } from "../bullmq-setup.ts";
import { Subject } from "../pg-boss-scenarios.ts";
import { Bench, messageOf, TERMS } from "../sqlite-support.ts";
import { afterwards, failing, park } from "./inspected.ts";

/** Stands in the key, the id and the body of the event that is copied. Each copy has its number there. */
const MARK = "00000000";
/** Every thousandth parked event has this type. */
export const RARE_TYPE = "kyc.approved";

const models = { parked: failing([`p${MARK}`]), waiting: messageOf(`shop/order.filled/w${MARK}`) };

async function addModels(inbox: Inbox): Promise<void> {
  await park(inbox, models.parked);
  await inbox.add(models.waiting, TERMS);
}

/** In SQLite: as many parked events, and as many that wait. */
export async function sqliteCrowd(count: number): Promise<Inbox> {
  const bench = new Bench(engines[0] as (typeof engines)[number]);
  afterwards(() => bench.close());
  const inbox = bench.inbox({ maxWaiting: 1_000_000 });
  await addModels(inbox);
  const connection = bench.open();
  const numbered = (column: string) => `replace(${column}, '${MARK}', printf('%08d', n))`;
  const typed = (column: string) =>
    `CASE WHEN state = 'parked' AND n % 1000 = 1 THEN replace(${column}, 'order.filled', '${RARE_TYPE}') ELSE ${column} END`;
  connection.exec(`
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count - 1})
    INSERT INTO bluum_webhook_inbox (key, id, type, state, attempts, accepted_at, due_at, error, message)
    SELECT ${typed(numbered("key"))}, ${numbered("id")}, ${typed("type")}, state, attempts, accepted_at, due_at + n, error,
      ${typed(numbered("message"))}
    FROM numbers, bluum_webhook_inbox`);
  return inbox;
}

const COPY_JOBS = `
  local prefix, count, mark, rare = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
  for _, model in ipairs({ { "p", "failed" }, { "w", "wait" } }) do
    local id = "shop/order.filled/" .. model[1] .. mark
    local fields = redis.call("HGETALL", prefix .. id)
    for n = 1, count - 1 do
      local number = string.format("%08d", n)
      local copy = {}
      for at, text in ipairs(fields) do
        copy[at] = string.gsub(text, mark, number)
        if model[2] == "failed" and n % 1000 == 1 then copy[at] = string.gsub(copy[at], "order%.filled", rare) end
      end
      local copied = string.gsub(id, mark, number)
      if model[2] == "failed" and n % 1000 == 1 then copied = string.gsub(copied, "order%.filled", rare) end
      redis.call("HSET", prefix .. copied, unpack(copy))
      if model[2] == "wait" then redis.call("LPUSH", prefix .. "wait", copied)
      else
        local parked = redis.call("HGET", prefix .. id, "finishedOn") + n
        redis.call("HSET", prefix .. copied, "finishedOn", string.format("%d", parked))
        redis.call("ZADD", prefix .. "failed", string.format("%d", parked), copied)
      end
    end
  end`;

/** The same in BullMQ. */
export async function bullmqCrowd(redis: RedisService, count: number): Promise<Inbox> {
  const prefix = `bluum-test-${randomUUID()}`;
  const inbox = freshBullmqInbox("bullmq 6", redis, { prefix });
  await addModels(inbox);
  const { client, close } = ioredis(redis.url);
  await client.call("EVAL", COPY_JOBS, "0", `${prefix}:orders:`, String(count), MARK, RARE_TYPE);
  await close();
  return inbox;
}

/** The same in pg-boss. */
export async function pgBossCrowd({ url }: PostgresService, count: number): Promise<Inbox> {
  const schema = `bluum_test_${randomBytes(8).toString("hex")}`;
  const boss = new PgBoss10({ connectionString: url, schema, max: 4 });
  boss.on("error", () => {});
  await boss.start();
  const subject = new Subject({ url, boss, schema });
  afterwards(async () => {
    await boss.stop({ graceful: false });
    await subject.sql(`DROP SCHEMA ${schema} CASCADE`);
    await subject.dispose();
  });
  await addModels(subject.inbox);
  const numbered = (column: string) => `replace(${column}::text, '${MARK}', lpad(n::text, 8, '0'))`;
  const typed = (text: string) =>
    `CASE WHEN name LIKE '%_parked' AND n % 1000 = 1 THEN replace(${text}, 'order.filled', '${RARE_TYPE}') ELSE ${text} END`;
  await subject.sql(
    `INSERT INTO $job SELECT (jsonb_populate_record(model, jsonb_build_object(
        'id', gen_random_uuid(),
        'data', (${typed(numbered("data"))})::jsonb,
        'output', (${typed(numbered("output"))})::jsonb,
        'start_after', start_after - n * interval '1 millisecond'))).*
      FROM $job AS model, generate_series(1, ${count - 1}) AS n WHERE name LIKE $1`,
    [`${subject.queue}%`],
  );
  await subject.sql("ANALYZE $job");
  return subject.inbox;
}
