// Creates the tables; may be run again at any time. Run it before each deployment.
import { boss, closeDatabase, pool } from "./database.mjs";
import { inbox } from "./inbox.mjs";
import { log } from "./log.mjs";

// No constraint here prevents a second booking of a deposit: the handler's transaction alone does.
await pool.query(`
  CREATE TABLE IF NOT EXISTS ledger (
    entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deposit_id text NOT NULL,
    investor_id text NOT NULL,
    amount numeric NOT NULL,
    currency text NOT NULL,
    booked_at timestamptz NOT NULL DEFAULT now()
  )`);
await boss.start(); // creates the schema of pg-boss
await inbox.stats(); // creates the queues and the table of the dedupe store
await inbox.store.close();
await closeDatabase();
log.info("migrated");
