import { Buffer } from "node:buffer";
import { isBusy, type SqliteDatabase, transact } from "../../stores/sqlite/database.ts";
import { checks } from "../checks.ts";
import type { Answer, Attempt, Delivery } from "../deliveries/delivery.ts";
import type { Endpoint } from "../endpoints/endpoint.ts";
import type { State } from "./state.ts";

const TABLES = `
  CREATE TABLE IF NOT EXISTS sandbox_kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS sandbox_endpoints (place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS sandbox_deliveries (place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;`;

const upsert = (table: string) =>
  `INSERT INTO ${table} (id, json) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json`;

/**
 * Keeps the state in a SQLite database, locked for this sandbox until it is closed.
 *
 * @param close closes the connection, if the sandbox opened it
 * @throws WebhookError `configuration_invalid` if another sandbox uses the file, or it is not a database
 */
export function sqliteState(database: SqliteDatabase, close: () => void = () => {}): State {
  openFor(database);
  const statements = {
    keep: database.prepare("INSERT OR REPLACE INTO sandbox_kept (name, value) VALUES (?, ?)"),
    saveEndpoint: database.prepare(upsert("sandbox_endpoints")),
    removeEndpoint: database.prepare("DELETE FROM sandbox_endpoints WHERE id = ?"),
    saveDelivery: database.prepare(upsert("sandbox_deliveries")),
    forgetDelivery: database.prepare("DELETE FROM sandbox_deliveries WHERE id = ?"),
  };
  const rows = (table: string) =>
    database.prepare(`SELECT json FROM ${table} ORDER BY place`).all() as { readonly json: string }[];
  return {
    endpoints: () => rows("sandbox_endpoints").map(({ json }) => JSON.parse(json) as Endpoint),
    deliveries: () => rows("sandbox_deliveries").map(({ json }) => deliveryFrom(JSON.parse(json) as StoredDelivery)),
    kept(name) {
      const [row] = database.prepare("SELECT value FROM sandbox_kept WHERE name = ?").all(name);
      return (row as { readonly value: string } | undefined)?.value;
    },
    keep: (name, value) => void statements.keep.run(name, value),
    saveEndpoint: (endpoint) => void statements.saveEndpoint.run(endpoint.id, JSON.stringify(endpoint)),
    removeEndpoint: (id) => void statements.removeEndpoint.run(id),
    saveDelivery: (delivery) => void statements.saveDelivery.run(delivery.id, JSON.stringify(stored(delivery))),
    forgetDelivery: (id) => void statements.forgetDelivery.run(id),
    together: (writes) => transact(database, writes),
    close() {
      releaseFrom(database);
      close();
    },
  };
}

/** Takes an exclusive lock for the connection: two sandboxes on one file would both send what is pending. */
function openFor(database: SqliteDatabase): void {
  try {
    // Not WAL: there the lock of a closed connection stays as long as the driver keeps its statements.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = NORMAL;");
    transact(database, () => database.exec(TABLES));
  } catch (error) {
    throw checks.invalid(
      "state",
      isBusy(error) ? "is in use by another sandbox" : "cannot be stored in this file",
      error,
    );
  }
}

/** Releases the lock; SQLite does so at the next read. The connection may stay open while others use the file. */
function releaseFrom(database: SqliteDatabase): void {
  if (database.open === false) return;
  database.exec("PRAGMA locking_mode = NORMAL");
  database.prepare("SELECT count(*) FROM sandbox_kept").all();
}

/** A delivery with all bytes in base64, for JSON. */
type StoredBytes = string | null;
type StoredAnswer = Omit<Answer, "body"> & { readonly body: StoredBytes };
type StoredAttempt = Omit<Attempt, "body" | "answer"> & {
  readonly body: StoredBytes;
  readonly answer: StoredAnswer | null;
};
type StoredDelivery = Omit<Delivery, "body" | "attempts"> & {
  readonly body: StoredBytes;
  readonly attempts: readonly StoredAttempt[];
};

function stored(delivery: Delivery): StoredDelivery {
  return { ...delivery, body: text(delivery.body), attempts: delivery.attempts.map(storedAttempt) };
}

function storedAttempt(attempt: Attempt): StoredAttempt {
  const { body, answer } = attempt;
  return { ...attempt, body: text(body), answer: answer === null ? null : { ...answer, body: text(answer.body) } };
}

function deliveryFrom(stored: StoredDelivery): Delivery {
  return { ...stored, body: bytes(stored.body), attempts: stored.attempts.map(attemptFrom) };
}

function attemptFrom(stored: StoredAttempt): Attempt {
  const { body, answer } = stored;
  return {
    ...stored,
    body: body === null ? null : bytes(body),
    answer: answer === null ? null : { ...answer, body: bytes(answer.body) },
  };
}

function text(bytes: Buffer | null): StoredBytes {
  return bytes === null ? null : bytes.toString("base64");
}

function bytes(text: StoredBytes): Buffer {
  return Buffer.from(text ?? "", "base64");
}
