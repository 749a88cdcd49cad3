import { sleep } from "../../async.ts";
import type { SqliteAccess } from "../../stores/sqlite/access.ts";
import { failureWith } from "../failure.ts";
import type { InboxFailure, ParkedEvent, ParkedPage, ParkedQuery, ParkedSelection } from "../inbox.ts";
import { messageIn } from "../message.ts";
import { queryOf, type Selection, selectionOf } from "../selection.ts";
import { OrderingLine } from "./line.ts";
import { checks } from "./options.ts";
import type { State } from "./schema.ts";
import type { Statements, StoredEvent } from "./statements.ts";

/** How many events one transaction redrives or discards. */
const BATCH = 500;

/** The parked events: listing, redriving and discarding them. */
export class ParkedEvents {
  readonly #access: SqliteAccess;
  readonly #sql: Statements;
  readonly #line: OrderingLine;

  constructor(access: SqliteAccess, sql: Statements) {
    this.#access = access;
    this.#sql = sql;
    this.#line = new OrderingLine(sql);
  }

  /** One page, in order of acceptance. */
  async page(query: ParkedQuery = {}): Promise<ParkedPage> {
    const { limit, cursor = "0", ...selection } = queryOf(checks, query);
    if (!/^\d{1,15}$/.test(cursor)) throw checks.invalid("cursor", "must be the cursor of the page before");
    const found = await this.#access.read(() => this.#select(selection, Number(cursor), limit + 1));
    const events = found.slice(0, limit);
    const last = events.at(-1);
    const page = events.map(parkedEvent);
    return found.length > limit && last ? { events: page, cursor: String(last.seq) } : { events: page };
  }

  /** Makes events wait again. @returns how many */
  redrive(selection: ParkedSelection): Promise<number> {
    return this.#each(selection, (event) => this.#redrive(event));
  }

  /** Deletes events. @returns how many */
  discard(selection: ParkedSelection): Promise<number> {
    return this.#each(selection, ({ seq }) => this.#sql.run("DELETE FROM {table} WHERE seq = ?", seq));
  }

  /** In short transactions, so that others get their turn, and in order of acceptance. */
  async #each(selection: ParkedSelection, work: (event: StoredEvent) => void): Promise<number> {
    let total = 0;
    for (const part of partsOf(selection)) {
      let after = 0;
      for (;;) {
        const events = await this.#access.write("other", () => {
          const selected = this.#select(part, after, BATCH);
          selected.forEach(work);
          return selected;
        });
        total += events.length;
        after = events.at(-1)?.seq ?? after;
        if (events.length < BATCH) break;
        await sleep(0);
      }
    }
    return total;
  }

  /** Makes an event wait at its old place, with its attempts counted from 1 again. */
  #redrive(event: StoredEvent): void {
    const { seq } = event;
    const state: State = this.#line.tryToLead(event) ? "waiting" : "blocked";
    this.#sql.run("UPDATE {table} SET state = ?, attempts = 0, due_at = NULL, error = NULL WHERE seq = ?", state, seq);
  }

  #select({ type, keys }: Selection, after: number, atMost: number): StoredEvent[] {
    if (keys !== undefined) {
      // The plus signs keep SQLite from reading all that are parked.
      const where = `+state = 'parked' AND +seq > ? AND key IN (SELECT value FROM json_each(?))
                     AND (? IS NULL OR type = ?) ORDER BY seq LIMIT ?`;
      return this.#sql.events(where, after, JSON.stringify(keys), type ?? null, type ?? null, atMost);
    }
    if (type === undefined) return this.#sql.events("state = 'parked' AND seq > ? ORDER BY seq LIMIT ?", after, atMost);
    return this.#sql.events("state = 'parked' AND type = ? AND seq > ? ORDER BY seq LIMIT ?", type, after, atMost);
  }
}

/** What a selection selects, in parts of a bounded size. A selection of nothing is refused, not taken for everything. */
function partsOf(selection: ParkedSelection): Selection[] {
  const { keys, type } = selectionOf(checks, selection);
  if (keys === undefined) return [type === undefined ? {} : { type }];
  return Array.from({ length: Math.ceil(keys.length / BATCH) }, (_, part) => ({
    keys: keys.slice(part * BATCH, (part + 1) * BATCH),
  }));
}

function parkedEvent({ key, id, type, attempts, dueAt, error, message: json }: StoredEvent): ParkedEvent {
  const message = messageIn(() => JSON.parse(String(json)));
  // Rather those of the message: libsql cuts the texts of columns at U+0000.
  const named = { id: message?.id ?? id, type: message?.type ?? type };
  return { key, ...named, attempts, parkedAt: new Date(dueAt), error: failureIn(error), message };
}

function failureIn(json: unknown): InboxFailure {
  try {
    const { message, stack } = JSON.parse(String(json)) as InboxFailure;
    return failureWith(message, stack);
  } catch {
    return { message: "the error cannot be read any more" };
  }
}
