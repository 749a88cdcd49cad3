import { askWhileContended } from "../../stores/postgres/contention.ts";
import type { PostgresStore } from "../../stores/postgres.ts";
import { keepingJobs, orderProblem, type PgBoss } from "./boss.ts";
import type { Database } from "./database.ts";
import { checks, type InboxSettings } from "./options.ts";
import { arrayOf, COLUMNS, CREATION_LOCK, type JobStatements, queuesNamed, statementsFor } from "./sql.ts";

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

/** What {@link prepare} works with. */
interface Place {
  readonly boss: PgBoss;
  readonly database: Database;
  readonly queues: Queues;
  readonly settings: InboxSettings;
}

/** How long the creation of queues may take, with the wait for other processes, in milliseconds. */
const CREATION_MS = 60_000;
/** How long it is tried again: creating a queue changes tables of pg-boss, which collides with others at work. In milliseconds. */
const PATIENCE_MS = { raced: 20_000, locked: 20_000 };

/**
 * Creates the queues and the table of the store where they are missing, and finds out what the table of jobs looks like.
 *
 * @throws WebhookError `configuration_invalid` if pg-boss is not started, or is in another schema or database; else the error of
 *   PostgreSQL
 */
export async function prepare(place: Place, store: PostgresStore): Promise<JobStatements> {
  const { database, settings } = place;
  const columns = await database.query(COLUMNS, [`${settings.schema}.job`]);
  if (columns.length === 0) throw elsewhere(settings.schema);
  const failed = await askWhileContended(PATIENCE_MS, async () => void (await createQueues(place)));
  if (failed !== undefined) throw new Error("other processes kept pg-boss from creating its queues");
  await store.migrate();
  return statementsFor(settings.schema, new Set(columns.map(({ name }) => String(name))));
}

/** One process at a time: with version 10 of pg-boss two would deadlock. */
async function createQueues({ boss, database, queues, settings }: Place): Promise<void> {
  const { worked, ordered, parked } = queues;
  const keeping = keepingJobs(boss);
  const working = { ...keeping, ...retrying(settings), deadLetter: parked };
  const names = [parked, ...worked];
  await database.transaction(async (session) => {
    await session.query(CREATION_LOCK, [settings.schema]);
    const known = async () => {
      const rows = await session.query(queuesNamed(settings.schema), [arrayOf(names)]);
      return new Set(rows.map(({ name }) => name));
    };
    const before = await known();
    for (const name of names) {
      const options = name === parked ? keeping : working;
      const policy = name === ordered ? { policy: "key_strict_fifo" } : {};
      if (before.has(name)) await boss.updateQueue(name, options);
      else await boss.createQueue(name, { name, ...options, ...policy });
    }
    if ((await known()).size < names.length) throw elsewhere(settings.schema);
  }, CREATION_MS);
}

/** The inbox sets limit and delay of each retry itself. These are for a job that pg-boss takes from its worker. */
function retrying({ retry }: InboxSettings): object {
  return {
    retryLimit: retry.attempts - 1,
    retryDelay: Math.ceil(retry.backoffMs / 1_000),
    retryBackoff: true,
  };
}

function elsewhere(schema: string): Error {
  return checks.invalid(
    "schema",
    `has to be that of pg-boss, and pool has to be on its database: the queues are not in the schema ${schema}. ` +
      "Start pg-boss before its inbox",
  );
}
