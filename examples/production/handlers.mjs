// What your app does with events.
import { ParkEvent } from "bluum-webhooks";
import { pool } from "./database.mjs";
import { inbox } from "./inbox.mjs";
import { log } from "./log.mjs";

/** Books a deposit exactly once: its entry and the completion of the event are one commit. */
export async function bookDeposit({ data: deposit }, context) {
  if (deposit.amount === undefined) throw new ParkEvent("the deposit has no amount"); // no retry would help
  const id = deposit.id ?? deposit.deposit_id;
  // `transaction` begins one, calls `completeIn` in it, runs this, and commits.
  await inbox.store.transaction(context, pool, (client) =>
    // The amount stays a decimal string, and PostgreSQL stores it as numeric.
    client.query("INSERT INTO ledger (deposit_id, investor_id, amount, currency) VALUES ($1, $2, $3, $4)", [
      id,
      deposit.investor_id ?? deposit.account_id,
      deposit.amount,
      deposit.currency,
    ]),
  );
  log.info({ eventKey: context.eventKey, deposit: id, attempt: context.attempt.number }, "booked");
}
