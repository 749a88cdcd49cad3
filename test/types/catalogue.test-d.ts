import type {
  BluumAccount,
  BluumCatalogue,
  BluumDeposit,
  BluumDocument,
  BluumEventMap,
  BluumKycVerification,
  BluumOrder,
  BluumWithdrawal,
  CatalogueEventType,
  KNOWN_EVENT_TYPES,
} from "../../src/bluum/catalogue.ts";
import { type Equal, expectType, use } from "./equal.ts";

// Each name has its resource.
expectType<Equal<BluumEventMap["account.updated"], BluumAccount>>();
expectType<Equal<BluumEventMap["order.partially_filled"], BluumOrder>>();
expectType<Equal<BluumEventMap["transfer.deposit.failed"], BluumDeposit>>();
expectType<Equal<BluumEventMap["transfer.withdrawal.initiated"], BluumWithdrawal>>();
expectType<Equal<BluumEventMap["document.rejected"], BluumDocument>>();
expectType<Equal<BluumEventMap["kyc.verification.approved"], BluumKycVerification>>();

// Without merged names, the map is the catalogue, and the list at run time has its names.
expectType<Equal<keyof BluumEventMap, keyof BluumCatalogue>>();
expectType<Equal<typeof KNOWN_EVENT_TYPES, readonly CatalogueEventType[]>>();

declare const order: BluumOrder;
declare const withdrawal: BluumWithdrawal;
declare const deposit: BluumDeposit;

// Amounts are strings, and what the documentation does not always show is optional.
expectType<Equal<BluumOrder["id"], string>>();
expectType<Equal<typeof order.average_price, string | undefined>>();
use(order.qty, order.quantity, order.account_id, order.investor_id, order.canceled_at, order.reject_reason);
use(withdrawal.withdrawal_id, withdrawal.submitted_at, deposit.deposit_id, deposit.method_details?.bank_name);
// @ts-expect-error an amount is not a number
order.average_price = 178.5;

// A misspelt field does not compile: no resource has an index signature.
// @ts-expect-error misspelt
use(order.avrage_price);
// @ts-expect-error of a withdrawal only
use(deposit.withdrawal_id);
// @ts-expect-error of a withdrawal only
use(deposit.submitted_at);

// Vocabularies are open: a listed value, a new one, and any string.
const status: BluumOrder["status"][] = ["filled", "partially_filled", "expired_by_venue", String(1)];
use(status);
if (order.side === "buy" || order.side === "short") use(order.side);
switch (withdrawal.status) {
  case "submitted":
  case "a status of tomorrow":
    break;
}
// @ts-expect-error open for strings, not for other types
order.side = 1;
