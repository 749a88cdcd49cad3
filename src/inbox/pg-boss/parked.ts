import type { Row } from "../../stores/postgres/client.ts";
import { failureWith } from "../failure.ts";
import type { InboxFailure, ParkedEvent, ParkedPage, ParkedQuery, ParkedSelection } from "../inbox.ts";
import { messageIn } from "../message.ts";
import { queryOf, selectionOf } from "../selection.ts";
import type { PgBoss } from "./boss.ts";
import { type Database, SCAN_MS, type Session } from "./database.ts";
import { fetchedJob, keyOf, messageOf, singletonKeyOf, typeOf } from "./job.ts";
import { checks } from "./options.ts";
import type { Queues } from "./queues.ts";
import type { AttemptOutput } from "./settle.ts";
import type { JobStatements } from "./sql.ts";

/** How many jobs are moved or deleted in one transaction. */
const BATCH = 500;
/** How long that may take, in milliseconds. */
const BATCH_TIMEOUT_MS = 60_000;

/** The place of a row in the order of parking. */
interface Place {
  readonly at: string;
  readonly id: string;
}

const START: Place = { at: "-infinity", id: "00000000-0000-0000-0000-000000000000" };

/** The parked jobs. */
export class Parked {
  readonly #boss: PgBoss;
  readonly #database: Database;
  readonly #queues: Queues;

  constructor(boss: PgBoss, database: Database, queues: Queues) {
    this.#boss = boss;
    this.#database = database;
    this.#queues = queues;
  }

  /** One page, the oldest first. */
  async page(sql: JobStatements, query: ParkedQuery): Promise<ParkedPage> {
    const { type = "", keys, limit, cursor } = queryOf(checks, query);
    const { at, id } = cursor === undefined ? START : placeIn(cursor);
    const chosenKeys = keys === undefined ? "" : JSON.stringify(keys);
    const values = [this.#queues.parked, type, chosenKeys, at, id, limit + 1];
    const rows = await this.#database.query(sql.parked, values, SCAN_MS);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const events = shown.map(parkedEvent);
    return rows.length <= limit || last === undefined ? { events } : { events, cursor: cursorOf(placeOf(last)) };
  }

  /** Makes the chosen jobs wait again. */
  redrive(sql: JobStatements, selection: ParkedSelection): Promise<number> {
    return this.#inBatches(sql, selection, async (session, rows) => {
      const ids = rows.map(({ id }) => String(id));
      if (this.#boss.redrive !== undefined) {
        const moved = await this.#boss.redrive(this.#queues.parked, { ids, limit: ids.length, db: session.db });
        return Number(moved);
      }
      for (const row of rows) await this.#sendAgain(session, row);
      await this.#boss.deleteJob(this.#queues.parked, ids, { db: session.db });
      return ids.length;
    });
  }

  /** Deletes the chosen jobs. */
  discard(sql: JobStatements, selection: ParkedSelection): Promise<number> {
    return this.#inBatches(sql, selection, async ({ db }, rows) => {
      const ids = rows.map(({ id }) => String(id));
      await this.#boss.deleteJob(this.#queues.parked, ids, { db });
      return ids.length;
    });
  }

  /** pg-boss 10 keeps no order and has no redrive. */
  async #sendAgain({ db }: Session, { id, data }: Row): Promise<void> {
    const message = messageIn(() => messageOf(data));
    const singletonKey = message === undefined ? {} : { singletonKey: singletonKeyOf(message) };
    const sent = await this.#boss.send(this.#queues.plain, data as object, { db, ...singletonKey });
    if (typeof sent !== "string") throw new Error(`pg-boss did not take the parked job ${String(id)} again`);
  }

  /** Acts on the chosen jobs that are parked now, and on none that are parked meanwhile. */
  async #inBatches(
    sql: JobStatements,
    selection: ParkedSelection,
    act: (session: Session, rows: readonly Row[]) => Promise<number>,
  ): Promise<number> {
    const { type = "", keys } = selectionOf(checks, selection);
    const chosenKeys = keys === undefined ? "" : JSON.stringify(keys);
    const [now] = await this.#database.query("SELECT now()::text AS place", []);
    let count = 0;
    let after = START;
    for (let isLast = false; !isLast; ) {
      const values = [this.#queues.parked, type, chosenKeys, after.at, after.id, BATCH, String(now?.place)];
      await this.#database.transaction(async (session) => {
        const rows = await session.query(sql.choose, values);
        if (rows.length > 0) count += await act(session, rows);
        const last = rows.at(-1);
        if (last !== undefined) after = placeOf(last);
        isLast = rows.length < BATCH;
      }, BATCH_TIMEOUT_MS);
    }
    return count;
  }
}

function parkedEvent(row: Row): ParkedEvent {
  const { created_on, source_retry_count } = row;
  const job = fetchedJob({ ...row, retry_count: 0 });
  const output = Object(row.output) as Partial<AttemptOutput>;
  const message = messageIn(() => messageOf(job.data));
  return {
    key: output.key ?? keyOf(job),
    type: output.type ?? typeOf(job),
    id: message?.id ?? "",
    attempts: output.attempts ?? Number(source_retry_count ?? 0) + 1,
    error: failureIn(output),
    parkedAt: new Date(created_on as string | number | Date),
    message,
  };
}

/** Of the inbox; or of pg-boss, if that has taken the job from its worker. */
function failureIn(output: Partial<AttemptOutput> & { readonly value?: { readonly message?: unknown } }): InboxFailure {
  return failureWith(output.message ?? output.value?.message ?? "unknown", output.stack);
}

function placeOf({ place, id }: Row): Place {
  return { at: String(place), id: String(id) };
}

function cursorOf({ at, id }: Place): string {
  return Buffer.from(JSON.stringify([at, id])).toString("base64url");
}

function placeIn(cursor: string): Place {
  try {
    const [at, id] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as unknown[];
    if (/^[\d: .+-]{10,40}$/.test(String(at)) && /^[\da-f-]{36}$/.test(String(id)))
      return { at: String(at), id: String(id) };
  } catch {}
  throw checks.invalid("cursor", "must be the cursor of a page");
}
