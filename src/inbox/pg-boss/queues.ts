import type { PostgresStore } from "../../stores/postgres.ts";
import { keepingJobs, orderProblem, type PgBoss } from "./boss.ts";
import type { Database } from "./database.ts";
import { checks, type InboxSettings } from "./options.ts";
import { arrayOf, COLUMNS, type JobStatements, queuesNamed, statementsFor } from "./sql.ts";

/** The names of the queues of one inbox. */
export interface Queues {
  /** Events without an ordering key. */
  readonly plain: string;
  /** Events with one; undefined where pg-boss keeps no order. */
  readonly ordered: string | undefined;
  readonly parked: string;
  /** Those that workers take from. */
  readonly worked: readonly string[];
}

/** Names the queues. */
export function queuesOf(boss: PgBoss, { queue }: InboxSettings): Queues {
  const ordered = orderProblem(boss) === undefined ? `${queue}_ordered` : undefined;
  const worked = ordered === undefined ? [queue] : [ordered, queue];
  return { plain: queue, ordered, parked: `${queue}_parked`, worked };
}

/**
 * Creates the queues and the table of the store where they are missing, and finds out what the table of jobs looks like.
 *
 * @throws WebhookError `configuration_invalid` if pg-boss is not started, or is in another schema or database; else the error of
 *   PostgreSQL
 */
export async function prepare(
  boss: PgBoss,
  {
    database,
    store,
    queues,
    settings,
  }: {
    readonly database: Database;
    readonly store: PostgresStore;
    readonly queues: Queues;
    readonly settings: InboxSettings;
  },
): Promise<JobStatements> {
  await createQueues(boss, queues, settings);
  await store.migrate();
  const { schema } = settings;
  const columns = await database.query(COLUMNS, [`${schema}.job`]);
  if (columns.length === 0) throw elsewhere(schema);
  const names = [...queues.worked, queues.parked];
  const there = await database.query(queuesNamed(schema), [arrayOf(names)]);
  if (there.length < names.length) throw elsewhere(schema);
  return statementsFor(schema, new Set(columns.map(({ name }) => String(name))));
}

async function createQueues(
  boss: PgBoss,
  { worked, ordered, parked }: Queues,
  { retry }: InboxSettings,
): Promise<void> {
  const keeping = keepingJobs(boss);
  await boss.createQueue(parked, { name: parked, ...keeping });
  for (const name of worked) {
    const options = {
      ...keeping,
      deadLetter: parked,
      // The inbox sets limit and delay of each retry itself. These are for a job that pg-boss takes from its worker.
      retryLimit: retry.attempts - 1,
      retryDelay: Math.ceil(retry.backoffMs / 1_000),
      retryBackoff: true,
    };
    await boss.createQueue(name, { name, ...options, ...(name === ordered ? { policy: "key_strict_fifo" } : {}) });
    await boss.updateQueue(name, options);
  }
}

function elsewhere(schema: string): Error {
  return checks.invalid(
    "schema",
    `has to be that of pg-boss, and pool has to be on its database: the queues are not in the schema ${schema}. Start pg-boss before its inbox`,
  );
}
