/**
 * The event names that Bluum's public documentation lists, and the resources inside their `data`, as they are sent: snake_case, amounts
 * and quantities as decimal strings, times as RFC 3339 strings.
 *
 * Only fields that the documentation always shows are required. Bluum may send values and fields that are not listed. The interfaces
 * have no index signature, so that a misspelt field does not compile; add a field that is missing here by declaration merging, as with
 * {@link BluumEventMap}.
 */

/** A listed literal or any other string. Editors suggest the listed ones. */
type Open<Literal extends string> = Literal | (string & {});

/** An order, in `order.*` events. */
export interface BluumOrder {
  /** Begins with `ord_`. All events of an order share it: it is not an event id. */
  id: string;
  investor_id?: string;
  /** Older spelling of `investor_id`. */
  account_id?: string;
  client_order_id?: string;
  symbol?: string;
  class?: string;
  currency?: string;
  side?: Open<"buy" | "sell">;
  type?: Open<"market" | "limit" | "stop" | "stop_limit" | "trailing_stop">;
  time_in_force?: string;
  quantity?: string;
  /** Older spelling of `quantity`. */
  qty?: string;
  notional?: string;
  limit_price?: string;
  stop_price?: string;
  trail_percent?: string;
  /** Both `partial` and `partially_filled`, and both `cancelled` and `canceled`, are documented. */
  status?: Open<
    | "pending"
    | "accepted"
    | "filled"
    | "partial"
    | "partially_filled"
    | "cancelled"
    | "canceled"
    | "failed"
    | "rejected"
  >;
  filled_quantity?: string;
  /** Older spelling of `filled_quantity`. */
  filled_qty?: string;
  remaining_quantity?: string;
  average_price?: string;
  commission?: string;
  submitted_at?: string;
  filled_at?: string;
  cancelled_at?: string;
  /** Older spelling of `cancelled_at`. */
  canceled_at?: string;
  failure_reason?: string;
  /** Older spelling of `failure_reason`. */
  reject_reason?: string;
}

/** What deposits and withdrawals have in common. */
export interface BluumTransfer {
  id?: string;
  investor_id?: string;
  /** Older spelling of `investor_id`. */
  account_id?: string;
  wallet_id?: string;
  amount?: string;
  currency?: string;
  method?: Open<"ach" | "ach_plaid" | "manual_bank_transfer" | "wire">;
  description?: string;
  /** Details for the method, such as a bank reference. The fields depend on the method. */
  method_details?: Record<string, unknown>;
  failure_reason?: string;
  created_at?: string;
  initiated_at?: string;
  received_at?: string;
  completed_at?: string;
  expires_at?: string;
  failed_at?: string;
}

/** A deposit, in `transfer.deposit.*` events. Ids begin with `dep_`. */
export interface BluumDeposit extends BluumTransfer {
  /** Replaces `id` on some pages. */
  deposit_id?: string;
  status?: Open<"pending" | "processing" | "received" | "completed" | "expired" | "canceled" | "failed">;
}

/** A withdrawal, in `transfer.withdrawal.*` events. Ids begin with `wd_`. */
export interface BluumWithdrawal extends BluumTransfer {
  /** Replaces `id` on some pages. */
  withdrawal_id?: string;
  status?: Open<"pending" | "processing" | "submitted" | "received" | "completed" | "expired" | "canceled" | "failed">;
  submitted_at?: string;
}

/** A document that an investor uploaded, in `document.*` events. Ids begin with `doc_`. */
export interface BluumDocument {
  id?: string;
  /** Replaces `id` on some pages. */
  document_id?: string;
  account_id?: string;
  document_type?: string;
  purpose?: string;
  status?: Open<"processing" | "approved" | "rejected">;
  /** Replaces `status` on some pages. */
  upload_status?: Open<"processing" | "approved" | "rejected">;
  rejection_reason?: string;
}

/** An investor's account, in `account.*` events. Ids begin with `inv_`. */
export interface BluumAccount {
  id?: string;
  status?: string;
  account_number?: string;
  currency?: string;
  created_at?: string;
}

/** An identity check, in `kyc.verification.*` events. Its only id is that of the workflow. */
export interface BluumKycVerification {
  investor_id?: string;
  /** Older spelling of `investor_id`. */
  account_id?: string;
  workflow_id?: string;
  workflow_type?: string;
  status?: Open<"in_progress" | "pending_review" | "approved" | "rejected" | "suspended" | "expired">;
  /** Replaces `status` on some pages. */
  workflow_status?: Open<"in_progress" | "pending_review" | "approved" | "rejected" | "suspended" | "expired">;
  risk_level?: string;
}

/** The documented events: name to type of `data`. Merge your additions into {@link BluumEventMap} instead. */
export interface BluumCatalogue {
  "account.created": BluumAccount;
  "account.updated": BluumAccount;
  "order.accepted": BluumOrder;
  "order.filled": BluumOrder;
  "order.partially_filled": BluumOrder;
  "order.canceled": BluumOrder;
  "order.rejected": BluumOrder;
  "transfer.deposit.initiated": BluumDeposit;
  "transfer.deposit.completed": BluumDeposit;
  "transfer.deposit.failed": BluumDeposit;
  "transfer.withdrawal.initiated": BluumWithdrawal;
  "transfer.withdrawal.completed": BluumWithdrawal;
  "transfer.withdrawal.failed": BluumWithdrawal;
  "document.approved": BluumDocument;
  "document.rejected": BluumDocument;
  "kyc.verification.approved": BluumKycVerification;
}

/** A documented event name. */
export type CatalogueEventType = keyof BluumCatalogue;

/**
 * Event name to type of `data`. It narrows `event.data` by `event.type`, and makes a misspelt name a type error.
 *
 * If Bluum sends you names that are not listed here, merge them in, once in your program. They are then suggested, checked and
 * narrowed like the others:
 *
 * ```ts
 * import "bluum-webhooks"; // with no import or export in the file, the block below would replace the package's types
 *
 * declare module "bluum-webhooks" {
 *   interface BluumEventMap {
 *     "compliance.review.opened": { review_id: string };
 *   }
 * }
 * ```
 *
 * Name the package, not one of its files; then it holds for every entry point of the package. A listed name may be merged again
 * with a narrower type (`"order.filled": BluumOrder & { venue?: string }`), and a resource may gain a field
 * (`interface BluumOrder { venue?: string }`) in the same block.
 */
export interface BluumEventMap extends BluumCatalogue {}

// A record, so that a missing or unknown name is a type error, even if a user merged names into BluumEventMap.
const CATALOGUE: Readonly<Record<CatalogueEventType, true>> = {
  "account.created": true,
  "account.updated": true,
  "order.accepted": true,
  "order.filled": true,
  "order.partially_filled": true,
  "order.canceled": true,
  "order.rejected": true,
  "transfer.deposit.initiated": true,
  "transfer.deposit.completed": true,
  "transfer.deposit.failed": true,
  "transfer.withdrawal.initiated": true,
  "transfer.withdrawal.completed": true,
  "transfer.withdrawal.failed": true,
  "document.approved": true,
  "document.rejected": true,
  "kyc.verification.approved": true,
};

/** The documented event names, at run time. Names merged into {@link BluumEventMap} are types only and not included. */
export const KNOWN_EVENT_TYPES: readonly CatalogueEventType[] = Object.freeze(
  Object.keys(CATALOGUE) as CatalogueEventType[],
);
