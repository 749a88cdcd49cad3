/** The statements on the table of jobs that pg-boss has no method for. Their columns are the same from version 10 to 12. */
export type JobStatements = ReturnType<typeof statementsFor>;

/** One attempt of a job. It is no longer active, or has another retry count, once the attempt is over. */
const ATTEMPT = "name = $1 AND id = $2::uuid AND state = 'active' AND retry_count = $3::int";
/** Several of them: `$2` their ids, `$3` their ids and retry counts. */
const ATTEMPTS =
  "name = $1 AND id = ANY($2::uuid[]) AND state = 'active' AND (id::text || ':' || retry_count) = ANY($3::text[])";
const CREATED_OR_RETRY = "state < 'active'";

/**
 * The statements.
 *
 * @param schema the schema of pg-boss
 * @param columns the columns of its table of jobs
 */
export function statementsFor(schema: string, columns: ReadonlySet<string>) {
  const jobs = `${schema}.job`;
  // Version 10 has no heartbeat. Its time of the start is then that of the last sign of life.
  const lockedOn = columns.has("heartbeat_on") ? "heartbeat_on" : "started_on";
  const output = columns.has("source_output") ? "COALESCE(source_output, output)" : "output";
  const sourceRetries = columns.has("source_retry_count") ? "source_retry_count" : "NULL";
  const chosen = `name = $1 AND ${CREATED_OR_RETRY}
    AND ($2::text = '' OR COALESCE(${output} ->> 'type', data ->> 'type') = $2)
    AND ($3::text = '' OR COALESCE(${output} ->> 'key', data ->> 'key', id::text) IN (SELECT jsonb_array_elements_text($3::jsonb)))`;
  return {
    /** `$1` queue, `$2` id, `$3` retry count. A row, and its lock, if the attempt still counts. */
    lock: `SELECT id FROM ${jobs} WHERE ${ATTEMPT} FOR UPDATE`,

    /** The same, and sets the retry limit: `$4`. `$5` is 0, or the lock in milliseconds that must have expired. */
    limit: `UPDATE ${jobs} SET retry_limit = $4::int WHERE ${ATTEMPT}
      AND ($5::float8 = 0 OR ${lockedOn} < now() - $5::float8 * interval '1 millisecond') RETURNING id`,

    /** `$1` queue, `$2` id, `$3` retry count, `$4` what to add to it. A row if the attempt still counts. */
    recount: `UPDATE ${jobs} SET retry_count = retry_count + $4::int WHERE ${ATTEMPT} RETURNING id`,

    /** `$1` queue, `$2` id, `$3` milliseconds. */
    delay: `UPDATE ${jobs} SET start_after = now() + $3::float8 * interval '1 millisecond'
      WHERE name = $1 AND id = $2::uuid AND state = 'retry'`,

    /** Attempts. A row for each that still counts. */
    renew: `UPDATE ${jobs} SET ${lockedOn} = now() WHERE ${ATTEMPTS} RETURNING id`,

    /** Attempts. A job that was never started keeps its retry count when it is fetched. */
    giveBack: `UPDATE ${jobs} SET started_on = NULL,
      state = (CASE WHEN retry_count > 0 THEN 'retry' ELSE 'created' END)::${schema}.job_state WHERE ${ATTEMPTS}`,

    /** `$1` queues, `$2` the lock in milliseconds. The jobs of workers that gave no sign of life for so long. */
    expired: `SELECT name, id, retry_count, data, singleton_key, output FROM ${jobs}
      WHERE name = ANY($1::text[]) AND state = 'active' AND ${lockedOn} < now() - $2::float8 * interval '1 millisecond'
      LIMIT 100`,

    /** `$1` queues, `$2` the queue of parked jobs. A row for each state: `count`, and `oldest_ms` since the oldest became ready. */
    counts: `SELECT CASE WHEN start_after > now() THEN 'delayed' ELSE 'waiting' END AS kind, count(*)::text AS count,
        (extract(epoch FROM now() - min(start_after)) * 1000)::text AS oldest_ms
      FROM ${jobs} WHERE name = ANY($1::text[]) AND ${CREATED_OR_RETRY} GROUP BY 1
      UNION ALL SELECT 'active', count(*)::text, NULL FROM ${jobs} WHERE name = ANY($1::text[]) AND state = 'active'
      UNION ALL SELECT 'parked', count(*)::text, NULL FROM ${jobs} WHERE name = $2 AND ${CREATED_OR_RETRY}`,

    /** `$1` queue, `$2` type or empty, `$3` keys as JSON or empty, `$4` and `$5` the place of the last row before, `$6` how many. */
    parked: `SELECT id, data, singleton_key, created_on, ${output} AS output, ${sourceRetries} AS source_retry_count,
        start_after::text AS place
      FROM ${jobs} WHERE ${chosen} AND (start_after, id) > ($4::text::timestamptz, $5::uuid)
      ORDER BY start_after, id LIMIT $6::int`,

    /** The same, and `$7` the latest place. It locks the jobs that no other redrive or discard has locked. */
    choose: `SELECT id, data, singleton_key, start_after::text AS place FROM ${jobs}
      WHERE ${chosen} AND (start_after, id) > ($4::text::timestamptz, $5::uuid) AND start_after <= $7::text::timestamptz
      ORDER BY start_after, id LIMIT $6::int FOR UPDATE SKIP LOCKED`,
  };
}

/** `$1` the table of jobs. Its columns; none if it is not there. */
export const COLUMNS =
  "SELECT attname::text AS name FROM pg_attribute WHERE attrelid = to_regclass($1::text) AND NOT attisdropped";

/** `$1` the schema of pg-boss. Held until the transaction ends. */
export const CREATION_LOCK =
  "SELECT pg_advisory_xact_lock(hashtextextended('bluum-webhooks queues ' || $1::text, 0))::text";

/** `$1` names. A row for each queue that is there. */
export function queuesNamed(schema: string): string {
  return `SELECT name FROM ${schema}.queue WHERE name = ANY($1::text[])`;
}

/** An array of names, ids or numbers as PostgreSQL writes it. None of them needs quotes. */
export function arrayOf(values: readonly string[]): string {
  return `{${values.join(",")}}`;
}
