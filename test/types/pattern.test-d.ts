import type { BluumDeposit, BluumKycVerification, BluumOrder } from "../../src/bluum/catalogue.ts";
import {
  type BluumEvent,
  type EventOf,
  isKnownEvent,
  type KnownEvent,
  type UnknownEvent,
} from "../../src/events/event.ts";
import type { KnownPattern, Pattern } from "../../src/events/pattern.ts";
import type { DeliveryContext } from "../../src/pipeline/outcome.ts";
import type { Receiver } from "../../src/pipeline/receiver-api.ts";
import { type Equal, expectType, use } from "./equal.ts";

declare const receiver: Receiver;

// The pattern decides what the handler gets.
receiver
  .on("order.filled", (event, context) => {
    expectType<Equal<typeof event, KnownEvent<"order.filled">>>();
    expectType<Equal<typeof event.data, BluumOrder>>();
    expectType<Equal<typeof context, DeliveryContext>>();
    // @ts-expect-error never another name
    if (event.type === "order.accepted") use(event);
  })
  .on("order.*", (event) => {
    if (event.type === "order.accepted") expectType<Equal<typeof event.data, BluumOrder>>();
    // @ts-expect-error not of this domain
    if (event.type === "kyc.verification.approved") use(event);
    // @ts-expect-error misspelt
    if (event.type === "order.acepted") use(event);
    if (!isKnownEvent(event)) expectType<Equal<typeof event, UnknownEvent>>();
  })
  .on("transfer.deposit.*", (event) => {
    if (event.type === "transfer.deposit.completed") expectType<Equal<typeof event.data, BluumDeposit>>();
    // @ts-expect-error not below this prefix
    if (event.type === "transfer.withdrawal.completed") use(event);
    if (isKnownEvent(event)) expectType<Equal<typeof event.data, BluumDeposit>>();
  })
  .on("transfer.*", (event) => {
    if (event.type === "transfer.withdrawal.completed") use(event.data.withdrawal_id);
  })
  .on("kyc.verification.*", (event) => {
    if (event.type === "kyc.verification.approved") expectType<Equal<typeof event.data, BluumKycVerification>>();
  })
  .on("*", (event) => {
    expectType<Equal<typeof event, BluumEvent>>();
    if (event.type === "order.filled") use(event.data.average_price);
  });

// A wildcard's events may be unknown ones: data is not narrowed without a look at the type.
receiver.on("order.*", (event) => {
  expectType<Equal<typeof event.data, unknown>>();
  switch (event.type) {
    case "order.accepted":
    case "order.canceled":
    case "order.filled":
    case "order.partially_filled":
    case "order.rejected":
      break;
    default:
      expectType<Equal<typeof event, UnknownEvent>>();
  }
});

// A domain that the catalogue does not have is taken on trust.
receiver
  .on("compliance.*", (event) => expectType<Equal<typeof event, UnknownEvent>>())
  .on("compliance.review.opened", (event) => expectType<Equal<typeof event, UnknownEvent>>());

// So is a name without a dot, unless it is a domain of the catalogue.
receiver
  .on("push", (event) => expectType<Equal<typeof event, UnknownEvent>>())
  .on("orders", (event) => expectType<Equal<typeof event, UnknownEvent>>())
  .on(["push", "order.filled"], (event) => {
    if (event.type === "order.filled") use(event.data.average_price);
    else expectType<Equal<typeof event, UnknownEvent>>();
  });
// @ts-expect-error a domain of the catalogue alone
receiver.on("order", () => {});
// @ts-expect-error a domain of the catalogue alone
receiver.on("transfer", () => {});
// @ts-expect-error a domain of the catalogue alone, in a list
receiver.on(["push", "kyc"], () => {});

// A list gives the union.
receiver
  .on(["order.filled", "transfer.deposit.completed"], (event) => {
    expectType<Equal<typeof event, KnownEvent<"order.filled" | "transfer.deposit.completed">>>();
    if (event.type === "order.filled") use(event.data.average_price);
    else use(event.data.deposit_id);
  })
  .on(["order.filled", "compliance.*"], (event) => {
    if (event.type === "order.filled") use(event.data.average_price);
    else expectType<Equal<typeof event, UnknownEvent>>();
  })
  .on(["order.*", "*"], (event) => expectType<Equal<typeof event.type, BluumEvent["type"]>>());

// A pattern or a list that only the run time knows.
declare const anyName: string;
declare const anyNames: readonly string[];
declare const oneOfTwo: "order.filled" | "order.accepted";
declare const template: `order.${string}`;
declare const ending: `${string}.completed`;
receiver
  .on(anyName, (event) => expectType<Equal<typeof event, BluumEvent>>())
  .on(anyNames, (event) => expectType<Equal<typeof event, BluumEvent>>())
  .on(oneOfTwo, (event) => expectType<Equal<typeof event.data, BluumOrder>>())
  .on(template, (event) => expectType<Equal<typeof event, BluumEvent>>())
  .on(ending, (event) => expectType<Equal<typeof event, BluumEvent>>())
  .on(anyName, () => {}, { name: "audit" });

// Handlers that are declared apart.
async function book(event: KnownEvent<"order.filled">): Promise<void> {
  use(event.data.average_price);
}
function audit(event: BluumEvent): void {
  use(event.type);
}
receiver
  .on("order.filled", book)
  .on("order.filled", audit)
  .on("order.*", audit)
  .on("compliance.*", audit)
  .on("*", audit);
// @ts-expect-error this handler takes less than the pattern lets through
receiver.on("order.*", book);

// Refused: misspelt in a domain of the catalogue.
// @ts-expect-error misspelt action
receiver.on("order.filld", () => {});
// @ts-expect-error misspelt prefix
receiver.on("transfer.depositt.*", () => {});
// @ts-expect-error a name is not a prefix
receiver.on("order.filled.*", () => {});
// @ts-expect-error a prefix is not a name
receiver.on("transfer.deposit", () => {});

// Refused: no pattern at all.
// @ts-expect-error empty
receiver.on("", () => {});
// @ts-expect-error the wildcard is not the last segment
receiver.on("order.*.x", () => {});
// @ts-expect-error two stars
receiver.on("**", () => {});
// @ts-expect-error two stars
receiver.on("order.**", () => {});
// @ts-expect-error a star within a name
receiver.on("push*", () => {});
// @ts-expect-error no string
receiver.on(/order/, () => {});

// Refused: one of a list.
// @ts-expect-error the second is misspelt
receiver.on(["order.filled", "order.filld"], () => {});
// @ts-expect-error the first is misspelt, the second unknown
receiver.on(["order.filld", "compliance.*"], () => {});

// The types themselves.
expectType<
  Equal<Extract<KnownPattern, `transfer.${string}*`>, "transfer.*" | "transfer.deposit.*" | "transfer.withdrawal.*">
>();
expectType<Equal<Pattern<"order.filled">, "order.filled">>();
expectType<Equal<Pattern<"order.filld">, KnownPattern>>();
expectType<Equal<Pattern<string>, string>>();
expectType<Equal<EventOf<"order.filled">, KnownEvent<"order.filled">>>();
expectType<Equal<EventOf<"*">, BluumEvent>>();
expectType<Equal<EventOf<string>, BluumEvent>>();
expectType<Equal<EventOf<"compliance.review.opened">, UnknownEvent>>();
