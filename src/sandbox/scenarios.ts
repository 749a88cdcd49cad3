import { freshId } from "./identifiers.ts";

/** One event of a scenario. */
export interface Step {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** When it happens, on the sandbox's clock, counted from the start. */
  readonly afterMs: number;
}

/** A sequence of events about one resource, with amounts that add up. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** @param at the time so many milliseconds after the start, in the format of payloads */
  readonly steps: (at: (afterMs: number) => string) => readonly Step[];
}

type At = (afterMs: number) => string;

/** Every scenario, in the order in which they are shown. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "order-filled", title: "An order: accepted, filled in part twice, filled", steps: orderFilled },
  { name: "order-rejected", title: "An order that is rejected", steps: orderRejected },
  { name: "deposit-completed", title: "A deposit that completes", steps: depositCompleted },
  { name: "deposit-failed", title: "A deposit that the bank returns", steps: depositFailed },
  { name: "withdrawal-completed", title: "A withdrawal that completes", steps: withdrawalCompleted },
  { name: "document-reviewed", title: "A document: rejected, then approved", steps: documentReviewed },
  { name: "kyc-approved", title: "An identity check: the account opens, then is approved", steps: kycApproved },
];

function orderFilled(at: At): readonly Step[] {
  const order = { ...newOrder(at(0)), quantity: "10" };
  // 4 at 178.40, 4 at 178.60 and 2 at 178.75. The partial fills often share a second, as real ones do.
  return [
    step("order.accepted", 0, { ...order, status: "accepted", ...progress("0", "10") }),
    step("order.partially_filled", 1_000, {
      ...order,
      ...{ status: "partially_filled", ...progress("4", "6"), average_price: "178.40", commission: "0.00" },
    }),
    step("order.partially_filled", 1_200, {
      ...order,
      ...{ status: "partially_filled", ...progress("8", "2"), average_price: "178.50", commission: "0.00" },
    }),
    step("order.filled", 2_500, {
      ...order,
      ...{ status: "filled", ...progress("10", "0"), average_price: "178.55", commission: "0.00" },
      filled_at: at(2_500),
    }),
  ];
}

function orderRejected(at: At): readonly Step[] {
  const order = { ...newOrder(at(0)), quantity: "5000", ...progress("0", "5000") };
  return [step("order.rejected", 0, { ...order, status: "rejected", failure_reason: "insufficient_buying_power" })];
}

function newOrder(submittedAt: string): object {
  return {
    id: freshId("ord_"),
    investor_id: freshId("inv_"),
    symbol: "AAPL",
    class: "us_equity",
    currency: "USD",
    side: "buy",
    type: "market",
    time_in_force: "day",
    submitted_at: submittedAt,
  };
}

function progress(filled: string, remaining: string): object {
  return { filled_quantity: filled, remaining_quantity: remaining };
}

function depositCompleted(at: At): readonly Step[] {
  const deposit = newTransfer("dep_", "250.00", at(0));
  return [
    step("transfer.deposit.initiated", 0, { ...deposit, status: "pending" }),
    step("transfer.deposit.completed", 2_000, {
      ...deposit,
      ...{ status: "completed", received_at: at(1_500), completed_at: at(2_000) },
    }),
  ];
}

function depositFailed(at: At): readonly Step[] {
  const deposit = newTransfer("dep_", "1200.00", at(0));
  return [
    step("transfer.deposit.initiated", 0, { ...deposit, status: "pending" }),
    step("transfer.deposit.failed", 2_000, {
      ...deposit,
      ...{ status: "failed", failed_at: at(2_000), failure_reason: "returned_by_bank" },
    }),
  ];
}

function withdrawalCompleted(at: At): readonly Step[] {
  const withdrawal = newTransfer("wd_", "75.50", at(0));
  return [
    step("transfer.withdrawal.initiated", 0, { ...withdrawal, status: "pending" }),
    step("transfer.withdrawal.completed", 2_000, {
      ...withdrawal,
      ...{ status: "completed", submitted_at: at(1_000), completed_at: at(2_000) },
    }),
  ];
}

function newTransfer(prefix: "dep_" | "wd_", amount: string, initiatedAt: string): object {
  return {
    id: freshId(prefix),
    investor_id: freshId("inv_"),
    wallet_id: freshId("wal_"),
    amount,
    currency: "USD",
    method: "ach",
    created_at: initiatedAt,
    initiated_at: initiatedAt,
  };
}

function documentReviewed(): readonly Step[] {
  const document = {
    id: freshId("doc_"),
    account_id: freshId("inv_"),
    document_type: "passport",
    purpose: "identity_verification",
  };
  return [
    step("document.rejected", 0, {
      ...document,
      ...{ status: "rejected", rejection_reason: "The document is not legible." },
    }),
    step("document.approved", 3_000, { ...document, status: "approved" }),
  ];
}

function kycApproved(at: At): readonly Step[] {
  const investorId = freshId("inv_");
  const account = { id: investorId, account_number: "1029384756", currency: "USD", created_at: at(0) };
  return [
    step("account.created", 0, { ...account, status: "pending" }),
    step("kyc.verification.approved", 2_000, {
      investor_id: investorId,
      workflow_id: freshId("wf_"),
      ...{ workflow_type: "individual", status: "approved", risk_level: "low" },
    }),
    step("account.updated", 2_500, { ...account, status: "active" }),
  ];
}

function step(type: string, afterMs: number, data: object): Step {
  return { type, afterMs, data: { ...data } };
}
