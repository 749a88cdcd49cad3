// Creates the tables; may be run again at any time.
//   npm run setup
import { postgresStore } from "bluum-webhooks/stores/postgres";
import { pool, storePool } from "./pool.mjs";

await postgresStore(storePool).migrate();

// No constraint here prevents a second booking of a deposit: store.transaction alone does.
await pool.query(`
  CREATE TABLE IF NOT EXISTS ledger (
    entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deposit_id text NOT NULL,
    investor_id text NOT NULL,
    amount numeric NOT NULL,
    currency text NOT NULL,
    booked_at timestamptz NOT NULL DEFAULT now()
  )`);

await Promise.all([pool.end(), storePool.end()]);
