import type { BluumDeposit, BluumOrder, BluumWithdrawal } from "../../src/bluum/catalogue.ts";
import {
  type BluumEvent,
  domainAndAction,
  isKnownEvent,
  type KnownEvent,
  type KnownEventType,
  type UnknownEvent,
} from "../../src/events/event.ts";
import { type Equal, expectType, use } from "./equal.ts";

declare const event: BluumEvent;

// Comparing the type narrows the event, and with it data, domain and action.
if (event.type === "order.filled") {
  expectType<Equal<typeof event.data, BluumOrder>>();
  expectType<Equal<typeof event.domain, "order">>();
  expectType<Equal<typeof event.action, "filled">>();
  const narrowed: KnownEvent<"order.filled"> = event;
  use(narrowed);
  // @ts-expect-error an order has no deposit_id
  use(event.data.deposit_id);
}
if (event.type === "transfer.deposit.completed") {
  expectType<Equal<typeof event.data, BluumDeposit>>();
  expectType<Equal<typeof event.domain, "transfer">>();
  expectType<Equal<typeof event.action, "deposit.completed">>();
}
if (event.type === "order.filled" || event.type === "order.accepted") {
  expectType<Equal<typeof event.data, BluumOrder>>();
}
if (event.type !== "order.filled") {
  expectType<Equal<Extract<typeof event.type, "order.filled">, never>>();
}

// Before that, data is unknown, since the event may be.
expectType<Equal<typeof event.data, unknown>>();
// @ts-expect-error not narrowed
use(event.data.average_price);

// Comparing with a misspelt name does not compile, whichever way round.
// @ts-expect-error misspelt
if (event.type === "order.filld") use(event);
// @ts-expect-error misspelt
if (event.type !== "order.filld") use(event);
// @ts-expect-error misspelt
if ("order.filld" === event.type) use(event);
// @ts-expect-error a domain is not a type
if (event.type === "order") use(event);

// A switch over every known name still reaches its default, for the events outside the catalogue.
switch (event.type) {
  case "order.filled":
    expectType<Equal<typeof event.data, BluumOrder>>();
    break;
  // @ts-expect-error misspelt
  case "order.fill":
    break;
  case "order.accepted":
  case "order.partially_filled":
  case "order.canceled":
  case "order.rejected":
    expectType<Equal<typeof event.data, BluumOrder>>();
    break;
  case "transfer.withdrawal.initiated":
  case "transfer.withdrawal.completed":
  case "transfer.withdrawal.failed":
    expectType<Equal<typeof event.data, BluumWithdrawal>>();
    break;
  case "account.created":
  case "account.updated":
  case "transfer.deposit.initiated":
  case "transfer.deposit.completed":
  case "transfer.deposit.failed":
  case "document.approved":
  case "document.rejected":
  case "kyc.verification.approved":
    break;
  default: {
    const type: string = event.type;
    expectType<Equal<typeof event, UnknownEvent>>();
    expectType<Equal<typeof event.data, unknown>>();
    // @ts-expect-error the default is reachable: the event is not never here
    const none: never = event;
    use(type, none);
  }
}

// `satisfies` on the rest reports a known type that a switch forgets.
switch (event.type) {
  case "order.filled":
    break;
  default:
    // @ts-expect-error other known events are left
    use(event satisfies UnknownEvent);
}

// isKnownEvent splits the union.
if (isKnownEvent(event)) {
  expectType<Equal<typeof event.type, KnownEventType>>();
  const known: KnownEvent = event;
  use(known);
  if (event.domain === "order") expectType<Equal<typeof event.data, BluumOrder>>();
} else {
  expectType<Equal<typeof event, UnknownEvent>>();
  const type: string = event.type;
  use(type, event.type.startsWith("compliance."), `${event.type}`);
  // @ts-expect-error a known name cannot be it any more
  if (event.type === "order.filled") use(event);
}

// An unknown name is read as the string that it is.
const name: string = event.type;
if (name === "compliance.review.opened") use(event.data);
const handled: Record<string, true> = { "compliance.review.opened": true };
use(handled[event.type], new Set<string>().has(event.type), domainAndAction(event.type).action);

// What every event has.
expectType<Equal<typeof event.id, string>>();
expectType<Equal<typeof event.occurredAt, Date | undefined>>();
expectType<Equal<typeof event.payload, Readonly<Record<string, unknown>>>>();
// @ts-expect-error read-only
event.id = "evt_1";
// @ts-expect-error read-only
event.payload.id = "evt_1";

// A function of one kind of event.
function book(filled: KnownEvent<"order.filled">): string | undefined {
  return filled.data.average_price;
}
// @ts-expect-error any event is not a filled order
book(event);
if (event.type === "order.filled") book(event);
// @ts-expect-error misspelt
type Misspelt = KnownEvent<"order.filld">;
use({} as Misspelt);
