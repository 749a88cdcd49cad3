import { randomBytes } from "node:crypto";
import type {
  BluumCatalogue,
  BluumDeposit,
  BluumOrder,
  BluumTransfer,
  BluumWithdrawal,
  CatalogueEventType,
} from "../bluum/catalogue.ts";

/** The `data` of a sample: the resource of a documented event name, otherwise any object. */
export type SampleData<Type extends string> = Type extends CatalogueEventType
  ? BluumCatalogue[Type]
  : Record<string, unknown>;

/** A webhook body as Bluum documents it, before `JSON.stringify`. */
export type SamplePayload<Type extends string = string> = {
  event: Type;
  timestamp: string;
  data: SampleData<Type>;
  [key: string]: unknown;
};

/** Values that replace those of a sample. Other fields of `data` keep their sample values. */
export type SampleOverrides<Type extends string = string> = {
  timestamp?: string | undefined;
  data?: Partial<SampleData<Type>> & Record<string, unknown>;
  [key: string]: unknown;
};

/**
 * Makes a realistic webhook body as Bluum documents it: `{ event, timestamp, data }`. Ids are random, so no two samples are the same
 * event; give `data: { id }` to make two events about one resource.
 *
 * A documented event name gets its complete resource, with a matching status. Any other name gets only an id in `data`, and the ping
 * `bluum-webhooks.ping` an empty `data`.
 *
 * @param overrides replaces or adds top-level keys (`id`, `timestamp`), and is merged into `data` one level deep. `timestamp` defaults to
 *   now; the times inside `data` follow it. A key that is `undefined`, as in `{ event: undefined, type: "order.filled" }`, is missing in
 *   the JSON.
 */
export function sampleEvent<const Type extends CatalogueEventType | (string & {})>(
  type: Type,
  overrides: SampleOverrides<Type> = {},
): SamplePayload<Type> {
  const timestamp = overrides.timestamp ?? wholeSeconds(new Date());
  const data = { ...sampleData(type, timestamp), ...overrides.data };
  return { event: type, timestamp, ...overrides, data } as SamplePayload<Type>;
}

function sampleData(type: string, at: string): object {
  if (Object.hasOwn(SAMPLES, type)) return SAMPLES[type as CatalogueEventType](at);
  return type === "bluum-webhooks.ping" ? {} : { id: freshId("sample_", 8) };
}

/** RFC 3339 without fractions of a second, as in the documentation. */
function wholeSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

const SAMPLES: { readonly [Type in CatalogueEventType]: (at: string) => BluumCatalogue[Type] } = {
  "account.created": (at) => account(at),
  "account.updated": (at) => account(at),
  "order.accepted": (at) => order(at, { status: "accepted" }),
  "order.filled": (at) => order(at, { status: "filled", ...filled("10", "0"), filled_at: at }),
  "order.partially_filled": (at) => order(at, { status: "partially_filled", ...filled("4", "6") }),
  "order.canceled": (at) => order(at, { status: "canceled", cancelled_at: at }),
  "order.rejected": (at) => order(at, { status: "rejected", failure_reason: "insufficient_buying_power" }),
  "transfer.deposit.initiated": (at) => deposit(at, { status: "pending" }),
  "transfer.deposit.completed": (at) => deposit(at, { status: "completed", received_at: at, completed_at: at }),
  "transfer.deposit.failed": (at) => deposit(at, { status: "failed", ...failed(at) }),
  "transfer.withdrawal.initiated": (at) => withdrawal(at, { status: "pending" }),
  "transfer.withdrawal.completed": (at) => withdrawal(at, { status: "completed", submitted_at: at, completed_at: at }),
  "transfer.withdrawal.failed": (at) => withdrawal(at, { status: "failed", submitted_at: at, ...failed(at) }),
  "document.approved": () => document("approved"),
  "document.rejected": () => ({ ...document("rejected"), rejection_reason: "The document is not legible." }),
  "kyc.verification.approved": () => kycVerification(),
};

function account(at: string): BluumCatalogue["account.created"] {
  return { id: investorId(), status: "active", account_number: freshDigits(), currency: "USD", created_at: at };
}

function order(at: string, state: Partial<BluumOrder>): BluumOrder {
  return {
    id: freshId("ord_", 8),
    investor_id: investorId(),
    symbol: "AAPL",
    class: "us_equity",
    currency: "USD",
    side: "buy",
    type: "market",
    time_in_force: "day",
    quantity: "10",
    filled_quantity: "0",
    remaining_quantity: "10",
    submitted_at: at,
    ...state,
  };
}

function filled(quantity: string, remaining: string): Partial<BluumOrder> {
  return { filled_quantity: quantity, remaining_quantity: remaining, average_price: "178.50", commission: "0.00" };
}

function transfer(at: string): BluumTransfer {
  return {
    investor_id: investorId(),
    wallet_id: freshId("wal_", 8),
    amount: "250.00",
    currency: "USD",
    method: "ach",
    created_at: at,
    initiated_at: at,
  };
}

function deposit(at: string, state: BluumDeposit): BluumDeposit {
  return { id: freshId("dep_", 8), ...transfer(at), ...state };
}

function withdrawal(at: string, state: BluumWithdrawal): BluumWithdrawal {
  return { id: freshId("wd_", 8), ...transfer(at), ...state };
}

function failed(at: string): { failed_at: string; failure_reason: string } {
  return { failed_at: at, failure_reason: "returned_by_bank" };
}

function document(status: "approved" | "rejected"): BluumCatalogue["document.approved"] {
  return {
    id: freshId("doc_", 8),
    account_id: investorId(),
    document_type: "passport",
    purpose: "identity_verification",
    status,
  };
}

function kycVerification(): BluumCatalogue["kyc.verification.approved"] {
  return {
    investor_id: investorId(),
    workflow_id: freshId("wf_", 8),
    workflow_type: "individual",
    status: "approved",
    risk_level: "low",
  };
}

function investorId(): string {
  return freshId("inv_", 13);
}

function freshId(prefix: string, bytes: number): string {
  return prefix + randomBytes(bytes).toString("hex");
}

function freshDigits(): string {
  return String(randomBytes(4).readUInt32BE()).padStart(10, "0");
}
