import { randomBytes } from "node:crypto";
import { WebhookError } from "../../errors.ts";
import { completeResult } from "../../stores/postgres/answers.ts";
import { askWhileContended, type Contention } from "../../stores/postgres/contention.ts";
import { settingsOf } from "../../stores/postgres/options.ts";
import { statementsFor } from "../../stores/postgres/sql.ts";
import type { PostgresStoreOptions } from "../../stores/postgres.ts";
import type { CompleteResult } from "../../stores/store.ts";
import type { InboxMessage } from "../message.ts";
import type { PgBoss } from "./boss.ts";
import type { Database } from "./database.ts";
import { dataOf, singletonKeyOf } from "./job.ts";
import type { Queues } from "./queues.ts";

/** How long a statement waits for another transaction that stores the same event, in milliseconds. */
const LOCK_MS = 250;
/** How long that is tried again, in milliseconds. */
const PATIENCE_MS = { raced: 2_000, locked: 500 };
/** When the provider may send an event again that is being stored now, in milliseconds. */
const RETRY_AFTER_MS = 1_000;

/** Adds messages: the mark "stored" and the job are one transaction. */
export class Adder {
  readonly #boss: PgBoss;
  readonly #database: Database;
  readonly #queues: Queues;
  readonly #markStored: string;

  constructor(boss: PgBoss, database: Database, queues: Queues, storeOptions: PostgresStoreOptions) {
    const { table, schema } = settingsOf(storeOptions);
    this.#boss = boss;
    this.#database = database;
    this.#queues = queues;
    this.#markStored = statementsFor({ table, schema, ownLockMs: LOCK_MS, claimLockMs: LOCK_MS }).complete.text;
  }

  /**
   * Adds a message.
   *
   * @throws WebhookError `event_in_flight` while another process stores the event; else the error of PostgreSQL or pg-boss. Nothing is stored then, unless only the answer to COMMIT was lost
   */
  async add(message: InboxMessage, retentionMs: number): Promise<"added" | "duplicate"> {
    const { plain, ordered = plain } = this.#queues;
    const queue = message.orderingKey === undefined ? plain : ordered;
    const answer = await askWhileContended(PATIENCE_MS, () => this.#addOnce(queue, message, retentionMs));
    if (answer === "stored") return "added";
    if (answer === "completed_by_another") return "duplicate";
    throw new WebhookError("event_in_flight", "another process is storing the event", { retryAfterMs: RETRY_AFTER_MS });
  }

  async #addOnce(queue: string, message: InboxMessage, retentionMs: number): Promise<CompleteResult | Contention> {
    const token = randomBytes(16).toString("base64url");
    try {
      return await this.#database.transaction(async ({ query, db }) => {
        const answer = completeResult(await query(this.#markStored, [message.key, token, retentionMs]));
        if (answer !== "stored") throw new NotMarked(answer);
        const id = await this.#boss.send(queue, dataOf(message), { db, singletonKey: singletonKeyOf(message) });
        if (typeof id !== "string") throw new Error(`pg-boss did not take the job: is the queue ${queue} deleted?`);
        return answer;
      });
    } catch (error) {
      if (error instanceof NotMarked) return error.answer;
      throw error;
    }
  }
}

/** Rolls the transaction back, since another one has the event. */
class NotMarked extends Error {
  readonly answer: Exclude<CompleteResult, "stored"> | Contention;

  constructor(answer: Exclude<CompleteResult, "stored"> | Contention) {
    super(answer);
    this.answer = answer;
  }
}
