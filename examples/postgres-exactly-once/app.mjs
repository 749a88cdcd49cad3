// A ledger in PostgreSQL, credited exactly once for each completed deposit, even if Bluum sends it again or this process
// dies: the entry and the completion of the event are committed in one transaction.
//   npm start, which runs setup.mjs first
import { createReceiver } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/express";
import { postgresStore } from "bluum-webhooks/stores/postgres";
import express from "express";
import { pool, storePool } from "./pool.mjs";

const store = postgresStore(storePool, { purgeEveryMs: 3_600_000 });
const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET, namespace: "ledger", store });

receiver.on("transfer.deposit.completed", async ({ data: deposit }, context) => {
  await store.transaction(context, pool, (client) =>
    // The amount stays a decimal string, and PostgreSQL stores it as numeric.
    client.query("INSERT INTO ledger (deposit_id, investor_id, amount, currency) VALUES ($1, $2, $3, $4)", [
      deposit.id ?? deposit.deposit_id,
      deposit.investor_id ?? deposit.account_id,
      deposit.amount,
      deposit.currency,
    ]),
  );
});

const app = express();
app.post("/webhooks/bluum", bluumHandler(receiver));

const server = app.listen(process.env.PORT ?? 3000, () => console.log(`listening on ${server.address().port}`));

process.once("SIGTERM", async () => {
  server.close(); // takes no new connections
  await receiver.close(); // waits for running handlers
  await store.close(); // stops the background purge
  await Promise.all([pool.end(), storePool.end()]);
  console.log("closed");
});
