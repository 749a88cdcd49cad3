// Makes the tables; may be run again at any time.
//   DATABASE_URL=postgres://... node setup.mjs
import { postgresStore } from "bluum-webhooks/stores/postgres";
import { pool } from "./pool.mjs";

await postgresStore(pool).migrate();

// Nothing here keeps a deposit from being booked twice: that it never is, is the work of completeIn alone.
await pool.query(`
  CREATE TABLE IF NOT EXISTS ledger (
    entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deposit_id text NOT NULL,
    investor_id text NOT NULL,
    amount numeric NOT NULL,
    currency text NOT NULL,
    booked_at timestamptz NOT NULL DEFAULT now()
  )`);

await pool.end();
