import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { checks } from "./errors.ts";

/** One SQL statement, and the name under which a connection keeps it prepared. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** The statements of one table. Each function below says what its values and rows are. */
export interface PostgresStatements
  extends Readonly<Record<"claim" | "renew" | "complete" | "completeIn" | "release" | "forget", Statement>>,
    Readonly<Record<"requireTransaction" | "purge" | "purgeInTurn" | "migrated", Statement>> {
  /** Creates the table and its index. */
  readonly migration: readonly Statement[];
  /** The quoted names of the table and the index, the values of `migrated`. */
  readonly names: readonly [table: string, index: string];
}

/** Where the table is, and how long a statement waits for the lock of a row. */
export interface PostgresTable {
  readonly table: string;
  readonly schema: string | undefined;
  /** For the token that holds the event, in milliseconds. */
  readonly ownLockMs: number;
  /** For claims by other tokens, in milliseconds. */
  readonly claimLockMs: number;
}

/** PostgreSQL truncates longer names: two tables would become one. */
const MAX_NAME_BYTES = 63;

/** The server's clock, read once for the whole statement; `now()` would be the time when a transaction began. */
const NOW = "statement_timestamp()";
/**
 * Whether a record has expired, written so that the planner cannot use the index on `expires_at`. With outdated statistics it may
 * expect next to no expired records, and would search all of them for an event instead of using the key.
 */
const EXPIRED = (row: string): string => `${row}.expires_at - ${NOW} <= interval '0'`;
const LIVE = (row: string): string => `${row}.expires_at - ${NOW} > interval '0'`;
/** When a lease or retention of `$3` milliseconds expires. */
const EXPIRES_AT = `${NOW} + $3::float8 * interval '1 millisecond'`;

/**
 * The statements of a store.
 *
 * @throws WebhookError `configuration_invalid` if PostgreSQL cannot have such a name
 */
export function statementsFor({ table, schema, ownLockMs, claimLockMs }: PostgresTable): PostgresStatements {
  const place = schema === undefined ? "" : `${quoted("schema", schema)}.`;
  const events = place + quoted("table", table);
  const index = quoted("table", indexName(table));
  return {
    claim: statement("claim", claim(events, claimLockMs, ownLockMs)),
    renew: statement("renew", renew(events, ownLockMs)),
    complete: statement("complete", complete(events, ownLockMs)),
    completeIn: statement("complete_in", completeIn(events)),
    requireTransaction: statement("require_transaction", requireTransaction(events)),
    release: statement("release", release(events, ownLockMs)),
    forget: statement("forget", forget(events, ownLockMs)),
    purge: statement("purge", purge(events, "true")),
    purgeInTurn: statement("purge_in_turn", purge(events, `pg_try_advisory_xact_lock(${lockNumber(events)})`)),
    migrated: statement("migrated", MIGRATED),
    migration: migration(events, index).map((text) => statement("migrate", text)),
    names: [events, place + index],
  };
}

/**
 * `$1` key, `$2` token, `$3` lease. One row: `answer` is claimed, completed, in_flight, raced or locked; `remaining_ms`.
 *
 * Reads first: a duplicate of a completed or claimed event then writes nothing and waits for no lock, not even if a transaction
 * that completes the event holds the row. An expired record is taken over only if its row is not locked. Only a fresh event and
 * a second claim by the same token ever wait, and briefly. The snapshot of this statement cannot show what others changed since;
 * if the answer depends on that, it is `raced` or `locked`, and the caller asks again.
 */
function claim(events: string, lockMs: number, ownLockMs: number): string {
  return `
WITH known AS MATERIALIZED (SELECT token, completed, expires_at FROM ${events} WHERE key = $1),
lock_timeout AS MATERIALIZED (
  SELECT set_config('lock_timeout', CASE WHEN token = $2 THEN '${ownLockMs}ms' ELSE '${lockMs}ms' END, true)
  FROM (SELECT) AS one_row LEFT JOIN known ON true
),
added AS (
  INSERT INTO ${events} (key, token, completed, expires_at)
  SELECT $1, $2, false, ${EXPIRES_AT} FROM lock_timeout WHERE NOT EXISTS (SELECT FROM known)
  ON CONFLICT (key) DO NOTHING
  RETURNING key
),
expired AS MATERIALIZED (SELECT key FROM ${events} AS event WHERE key = $1 AND ${EXPIRED("event")} FOR UPDATE SKIP LOCKED),
taken AS (
  UPDATE ${events} AS event SET token = $2, completed = false, expires_at = ${EXPIRES_AT} FROM expired
  WHERE event.key = expired.key AND ${EXPIRED("event")}
  RETURNING event.key
),
renewed AS (
  UPDATE ${events} AS event SET expires_at = ${EXPIRES_AT} FROM lock_timeout
  WHERE event.key = $1 AND ${liveClaim("event")}
  RETURNING event.key
)
SELECT
  CASE
    WHEN EXISTS (SELECT key FROM added UNION ALL SELECT key FROM taken UNION ALL SELECT key FROM renewed) THEN 'claimed'
    WHEN ${LIVE("known")} AND known.completed THEN 'completed'
    WHEN ${LIVE("known")} AND known.token <> $2 THEN 'in_flight'
    WHEN ${EXPIRED("known")} THEN 'locked'
    ELSE 'raced'
  END AS answer,
  round(extract(epoch FROM known.expires_at - ${NOW}) * 1000)::text AS remaining_ms
FROM (SELECT) AS one_row LEFT JOIN known ON true`;
}

/** `$1` key, `$2` token, `$3` lease. One row if the claim was live. */
function renew(events: string, lockMs: number): string {
  return `
UPDATE ${events} AS event SET expires_at = ${EXPIRES_AT} FROM (${lockTimeout(lockMs)}) AS lock_timeout
WHERE event.key = $1 AND ${liveClaim("event")}
RETURNING event.key`;
}

/**
 * `$1` key, `$2` token, `$3` retention. One row: `answer` is a `CompleteResult` or raced. It writes only if the answer is not
 * known from reading.
 */
function complete(events: string, lockMs: number): string {
  return `
WITH known AS MATERIALIZED (
  SELECT token = $2 AS own, completed FROM ${events} AS event
  WHERE key = $1 AND ${LIVE("event")} AND (completed OR token <> $2)
),
stored AS (
  INSERT INTO ${events} AS event (key, token, completed, expires_at)
  SELECT $1, $2, true, ${EXPIRES_AT} FROM (${lockTimeout(lockMs)}) AS lock_timeout WHERE NOT EXISTS (SELECT FROM known)
  ON CONFLICT (key) DO UPDATE SET token = excluded.token, completed = true, expires_at = excluded.expires_at
  WHERE ${EXPIRED("event")} OR event.token = excluded.token
  RETURNING event.key
)
SELECT
  CASE
    WHEN known.own OR EXISTS (SELECT FROM stored) THEN 'stored'
    WHEN known.completed THEN 'completed_by_another'
    WHEN NOT known.completed THEN 'held_by_another'
    ELSE 'raced'
  END AS answer
FROM (SELECT) AS one_row LEFT JOIN known ON true`;
}

/**
 * `$1` key, `$2` token, `$3` retention. One row if it is stored. Unlike `complete` it refuses a completion by its own token too: a
 * second transaction must not repeat the work of a first one whose COMMIT succeeded although its reply was lost. It sets no lock
 * timeout, which would stay set in the caller's transaction.
 */
function completeIn(events: string): string {
  return `
INSERT INTO ${events} AS event (key, token, completed, expires_at) VALUES ($1, $2, true, ${EXPIRES_AT})
ON CONFLICT (key) DO UPDATE SET token = excluded.token, completed = true, expires_at = excluded.expires_at
WHERE ${EXPIRED("event")} OR (event.token = excluded.token AND NOT event.completed)
RETURNING event.key`;
}

/**
 * Fails with 25P01 outside a transaction. The completion itself takes the same lock a moment later, so this adds no waiting. Unlike
 * SAVEPOINT it leaves no subtransaction behind, and unlike SELECT it takes no snapshot.
 */
function requireTransaction(events: string): string {
  return `LOCK TABLE ${events} IN ROW EXCLUSIVE MODE`;
}

/** `$1` key, `$2` token. One row if a claim was deleted; `live` is false if its lease had expired. */
function release(events: string, lockMs: number): string {
  return remove(events, lockMs, "event.key = $1 AND event.token = $2 AND NOT event.completed");
}

/** `$1` key. One row if a record was deleted; `live` is false if it had expired. */
function forget(events: string, lockMs: number): string {
  return remove(events, lockMs, "event.key = $1");
}

function remove(events: string, lockMs: number, condition: string): string {
  return `
DELETE FROM ${events} AS event USING (${lockTimeout(lockMs)}) AS lock_timeout
WHERE ${condition}
RETURNING ${LIVE("event")} AS live`;
}

/**
 * `$1` batch, `$2` the `until` of the batch before. One row: how many records it `found` and `deleted`, and the last expiry of
 * them, `until`. Without it each batch would step again over the deleted rows, which stay in the index until a vacuum. Locked rows
 * are left for the next run.
 *
 * @param turn an SQL condition; if it is false, nothing is found
 */
function purge(events: string, turn: string): string {
  return `
WITH turn AS MATERIALIZED (SELECT ${turn} AS ours),
expired AS MATERIALIZED (
  SELECT ctid AS place, expires_at FROM ${events}
  WHERE (SELECT ours FROM turn) AND expires_at >= $2::text::timestamptz AND expires_at <= ${NOW}
  ORDER BY expires_at LIMIT $1::int FOR UPDATE SKIP LOCKED
),
removed AS (
  DELETE FROM ${events} AS event
  WHERE event.ctid = ANY (ARRAY(SELECT place FROM expired)) AND ${EXPIRED("event")}
  RETURNING event.key
)
SELECT (SELECT count(*) FROM expired)::text AS found, (SELECT count(*) FROM removed)::text AS deleted,
  (SELECT max(expires_at) FROM expired)::text AS until`;
}

/**
 * `$1` table, `$2` index. One row; `exists_already` is true if both exist. CREATE INDEX IF NOT EXISTS would wait for every open
 * transaction on the table, even if the index exists.
 */
const MIGRATED = "SELECT to_regclass($1::text) IS NOT NULL AND to_regclass($2::text) IS NOT NULL AS exists_already";

/** COLLATE "C" compares byte by byte, whatever the database's collation. Columns of fixed width come first, which saves padding. */
function migration(events: string, index: string): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${events} (
  expires_at timestamptz NOT NULL,
  completed boolean NOT NULL,
  key text COLLATE "C" PRIMARY KEY,
  token text COLLATE "C" NOT NULL
)`,
    `CREATE INDEX IF NOT EXISTS ${index} ON ${events} (expires_at)`,
  ];
}

function liveClaim(row: string): string {
  return `${row}.token = $2 AND NOT ${row}.completed AND ${LIVE(row)}`;
}

/** Bounds the wait for locks in this transaction, which is the statement's own. */
function lockTimeout(lockMs: number): string {
  return `SELECT set_config('lock_timeout', '${lockMs}ms', true)`;
}

/** Named by its text, since one connection may serve several stores. */
function statement(verb: string, text: string): Statement {
  return { name: `bluum_${verb}_${hash(text).subarray(0, 8).toString("hex")}`, text: text.trim() };
}

function indexName(table: string): string {
  const name = `${table}_expires_at`;
  return Buffer.byteLength(name) <= MAX_NAME_BYTES
    ? name
    : `bluum_${hash(table).toString("hex").slice(0, 32)}_expires_at`;
}

/** The key of the advisory lock that the purge of a table takes. */
function lockNumber(events: string): bigint {
  return hash(`bluum-webhooks purge ${events}`).readBigInt64BE();
}

function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function quoted(option: string, name: string): string {
  const fits = typeof name === "string" && name !== "" && Buffer.byteLength(name) <= MAX_NAME_BYTES;
  if (fits && !/[\0\p{Surrogate}]/u.test(name)) return `"${name.replaceAll('"', '""')}"`;
  throw checks.invalid(option, `must be a name of PostgreSQL: text of 1 to ${MAX_NAME_BYTES} bytes without NUL`);
}
