import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { WebhookError } from "../../errors.ts";

/** One SQL statement, and a name by which a connection keeps it prepared. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** The verbs of the store, and what keeps its table. */
export interface PostgresStatements {
  /** `$1` key, `$2` token, `$3` lease. Always one row: `answer` is claimed, completed, in_flight, raced or locked; `remaining_ms`. */
  readonly claim: Statement;
  /** `$1` key, `$2` token, `$3` lease. A row where the claim stood. */
  readonly renew: Statement;
  /** `$1` key, `$2` token, `$3` retention. Always one row: `answer` is what `complete` answers, or raced. */
  readonly complete: Statement;
  /** As `complete`, inside somebody's transaction. A row where it is stored. */
  readonly completeIn: Statement;
  /** Fails with 25P01 outside a transaction, and does nothing within one. */
  readonly requireTransaction: Statement;
  /** `$1` key, `$2` token. A row where a claim is gone, `live` telling whether its lease still ran. */
  readonly release: Statement;
  /** `$1` key. A row where a record is gone, `live` telling whether its term still ran. */
  readonly forget: Statement;
  /** `$1` batch, `$2` where to begin. Always one row: how many it `found` and `deleted`, and `until` where. */
  readonly purge: Statement;
  /** The same, unless another process is purging: then it finds none. */
  readonly purgeInTurn: Statement;
  /** One row whose `there` tells whether there is nothing to migrate. */
  readonly migrated: Statement;
  /** What makes the table and its index. */
  readonly migration: readonly Statement[];
}

/** Where the table is, and how long a statement may wait for somebody's lock on its row. */
export interface PostgresTable {
  readonly table: string;
  readonly schema: string | undefined;
  /** The longest that a verb of the token that holds the event waits, in milliseconds. */
  readonly ownLockMs: number;
  /** The longest that anybody else waits, in milliseconds. */
  readonly claimLockMs: number;
}

/** PostgreSQL cuts longer names off, and two tables would become one. */
const MAX_NAME_BYTES = 63;

/** One reading of the server's clock for the whole statement; `now()` would be the time when a transaction began. */
const NOW = "statement_timestamp()";
/**
 * What has ended and what has not, in a form for which no index serves: by its statistics of yesterday the planner may take what
 * has ended for next to nothing, and look for an event among all that has, instead of by its key.
 */
const ENDED = (row: string): string => `${row}.expires_at - ${NOW} <= interval '0'`;
const LIVE = (row: string): string => `${row}.expires_at - ${NOW} > interval '0'`;
const TERM = `${NOW} + $3::float8 * interval '1 millisecond'`;

/**
 * The statements of a store.
 *
 * @throws WebhookError `configuration_invalid` where a name is no name of PostgreSQL
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
    migrated: statement("migrated", migrated(events, place + index)),
    migration: migration(events, index).map((text) => statement("migrate", text)),
  };
}

/**
 * Reads first: a duplicate of what is done or being done then costs no write and meets no lock, not even where a transaction
 * that completes the event holds the row. What has ended is taken over only if nobody else is at it; only a fresh event, and
 * the holder's own repetition, ever wait, and briefly. What others did in the meantime this statement's snapshot cannot show; where
 * the answer hangs on that, it is `raced` or `locked`: ask again.
 */
function claim(events: string, lockMs: number, ownLockMs: number): string {
  return `
WITH known AS MATERIALIZED (SELECT token, completed, expires_at FROM ${events} WHERE key = $1),
patience AS MATERIALIZED (
  SELECT set_config('lock_timeout', CASE WHEN token = $2 THEN '${ownLockMs}ms' ELSE '${lockMs}ms' END, true)
  FROM (SELECT) AS always LEFT JOIN known ON true
),
added AS (
  INSERT INTO ${events} (key, token, completed, expires_at)
  SELECT $1, $2, false, ${TERM} FROM patience WHERE NOT EXISTS (SELECT FROM known)
  ON CONFLICT (key) DO NOTHING
  RETURNING key
),
ended AS MATERIALIZED (SELECT key FROM ${events} AS event WHERE key = $1 AND ${ENDED("event")} FOR UPDATE SKIP LOCKED),
taken AS (
  UPDATE ${events} AS event SET token = $2, completed = false, expires_at = ${TERM} FROM ended
  WHERE event.key = ended.key AND ${ENDED("event")}
  RETURNING event.key
),
kept AS (
  UPDATE ${events} AS event SET expires_at = ${TERM} FROM patience
  WHERE event.key = $1 AND ${liveClaim("event")}
  RETURNING event.key
)
SELECT
  CASE
    WHEN EXISTS (SELECT key FROM added UNION ALL SELECT key FROM taken UNION ALL SELECT key FROM kept) THEN 'claimed'
    WHEN ${LIVE("known")} AND known.completed THEN 'completed'
    WHEN ${LIVE("known")} AND known.token <> $2 THEN 'in_flight'
    WHEN ${ENDED("known")} THEN 'locked'
    ELSE 'raced'
  END AS answer,
  round(extract(epoch FROM known.expires_at - ${NOW}) * 1000)::text AS remaining_ms
FROM (SELECT) AS always LEFT JOIN known ON true`;
}

function renew(events: string, lockMs: number): string {
  return `
UPDATE ${events} AS event SET expires_at = ${TERM} FROM (${patience(lockMs)}) AS patience
WHERE event.key = $1 AND ${liveClaim("event")}
RETURNING event.key`;
}

/** Writes only where what it reads does not decide already. */
function complete(events: string, lockMs: number): string {
  return `
WITH known AS MATERIALIZED (
  SELECT token = $2 AS own, completed FROM ${events} AS event
  WHERE key = $1 AND ${LIVE("event")} AND (completed OR token <> $2)
),
stored AS (
  INSERT INTO ${events} AS event (key, token, completed, expires_at)
  SELECT $1, $2, true, ${TERM} FROM (${patience(lockMs)}) AS patience WHERE NOT EXISTS (SELECT FROM known)
  ON CONFLICT (key) DO UPDATE SET token = excluded.token, completed = true, expires_at = excluded.expires_at
  WHERE ${ENDED("event")} OR event.token = excluded.token
  RETURNING event.key
)
SELECT
  CASE
    WHEN known.own OR EXISTS (SELECT FROM stored) THEN 'stored'
    WHEN known.completed THEN 'completed_by_another'
    WHEN NOT known.completed THEN 'held_by_another'
    ELSE 'raced'
  END AS answer
FROM (SELECT) AS always LEFT JOIN known ON true`;
}

/**
 * What its own token has completed is refused too, unlike by `complete`: a second transaction must not repeat the work of a
 * first one whose COMMIT went through unheard. It sets no lock time-out: that would outlive it in the caller's transaction.
 */
function completeIn(events: string): string {
  return `
INSERT INTO ${events} AS event (key, token, completed, expires_at) VALUES ($1, $2, true, ${TERM})
ON CONFLICT (key) DO UPDATE SET token = excluded.token, completed = true, expires_at = excluded.expires_at
WHERE ${ENDED("event")} OR (event.token = excluded.token AND NOT event.completed)
RETURNING event.key`;
}

/**
 * LOCK TABLE is refused outside a transaction. The lock is the one that the completion itself takes a moment later, so nobody
 * waits for it; unlike SAVEPOINT it leaves no subtransaction behind, and unlike a SELECT it takes no snapshot.
 */
function requireTransaction(events: string): string {
  return `LOCK TABLE ${events} IN ROW EXCLUSIVE MODE`;
}

function release(events: string, lockMs: number): string {
  return `
DELETE FROM ${events} AS event USING (${patience(lockMs)}) AS patience
WHERE event.key = $1 AND event.token = $2 AND NOT event.completed
RETURNING ${LIVE("event")} AS live`;
}

function forget(events: string, lockMs: number): string {
  return `
DELETE FROM ${events} AS event USING (${patience(lockMs)}) AS patience
WHERE event.key = $1
RETURNING ${LIVE("event")} AS live`;
}

/**
 * Rows that anybody else has locked are left for the next run. A batch begins where the one before it ended: what that has deleted
 * stands in the index until a vacuum, and would be stepped over each time anew.
 */
function purge(events: string, turn: string): string {
  return `
WITH turn AS MATERIALIZED (SELECT ${turn} AS ours),
ended AS MATERIALIZED (
  SELECT ctid AS place, expires_at FROM ${events}
  WHERE (SELECT ours FROM turn) AND expires_at >= $2::text::timestamptz AND expires_at <= ${NOW}
  ORDER BY expires_at LIMIT $1::int FOR UPDATE SKIP LOCKED
),
gone AS (
  DELETE FROM ${events} AS event
  WHERE event.ctid = ANY (ARRAY(SELECT place FROM ended)) AND ${ENDED("event")}
  RETURNING event.key
)
SELECT (SELECT count(*) FROM ended)::text AS found, (SELECT count(*) FROM gone)::text AS deleted,
  (SELECT max(expires_at) FROM ended)::text AS until`;
}

/** An index that is there already is not asked for again: even IF NOT EXISTS would wait for every open transaction on the table. */
function migrated(events: string, index: string): string {
  return `SELECT to_regclass(${literal(events)}) IS NOT NULL AND to_regclass(${literal(index)}) IS NOT NULL AS there`;
}

/** Keys are compared byte by byte, whatever the database's collation. The fixed widths come first, which saves the padding. */
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

/** Bounds the wait for locks until the end of the transaction, which is the statement's own. */
function patience(lockMs: number): string {
  return `SELECT set_config('lock_timeout', '${lockMs}ms', true)`;
}

/** By its text, since one connection may serve several stores. */
function statement(verb: string, text: string): Statement {
  return { name: `bluum_${verb}_${hash(text).subarray(0, 8).toString("hex")}`, text: text.trim() };
}

function indexName(table: string): string {
  const name = `${table}_expires_at`;
  return Buffer.byteLength(name) <= MAX_NAME_BYTES
    ? name
    : `bluum_${hash(table).toString("hex").slice(0, 32)}_expires_at`;
}

/** The number of the advisory lock of a table's purge. */
function lockNumber(events: string): bigint {
  return hash(`bluum-webhooks purge ${events}`).readBigInt64BE();
}

function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function literal(text: string): string {
  const doubled = text.replaceAll("'", "''");
  // A backslash would mean something where standard_conforming_strings is off.
  return text.includes("\\") ? `E'${doubled.replaceAll("\\", "\\\\")}'` : `'${doubled}'`;
}

function quoted(option: string, name: string): string {
  const fits = typeof name === "string" && name !== "" && Buffer.byteLength(name) <= MAX_NAME_BYTES;
  if (fits && !/[\0\p{Surrogate}]/u.test(name)) return `"${name.replaceAll('"', '""')}"`;
  const problem = `must be a name of PostgreSQL: text of 1 to ${MAX_NAME_BYTES} bytes without NUL`;
  throw new WebhookError("configuration_invalid", `postgresStore: ${option} ${problem}`);
}
