// A program of its own: what is merged here holds everywhere in it.
import {
  type BluumEvent,
  type BluumOrder,
  isKnownEvent,
  type KnownEvent,
  type Receiver,
  type UnknownEvent,
} from "bluum-webhooks";
import { type Equal, expectType, use } from "../equal.ts";

interface Review {
  review_id: string;
}

declare module "bluum-webhooks" {
  interface BluumEventMap {
    "compliance.review.opened": Review;
    "order.filled": BluumOrder & { venue?: string };
  }
  interface BluumOrder {
    house_note?: string;
  }
}

declare const event: BluumEvent;
declare const receiver: Receiver;

// A merged name narrows like the others, and a misspelt one in its domain does not compile any more.
if (event.type === "compliance.review.opened") expectType<Equal<typeof event.data, Review>>();
// @ts-expect-error misspelt
if (event.type === "compliance.review.open") use(event);
receiver
  .on("compliance.review.opened", (opened) =>
    expectType<Equal<typeof opened, KnownEvent<"compliance.review.opened">>>(),
  )
  .on("compliance.*", (any) => {
    if (any.type === "compliance.review.opened") use(any.data.review_id);
    else expectType<Equal<typeof any, UnknownEvent>>();
  });
// @ts-expect-error misspelt in a domain that is known by now
receiver.on("compliance.review.opend", () => {});

// A listed name can be refined, and a resource can gain a field.
if (event.type === "order.filled") use(event.data.venue, event.data.house_note);
if (event.type === "order.accepted") use(event.data.house_note);
// @ts-expect-error of the filled order only
if (event.type === "order.accepted") use(event.data.venue);

// isKnownEvent knows the documented names only, and its types say so.
if (isKnownEvent(event)) expectType<Equal<Extract<typeof event.type, "compliance.review.opened">, never>>();
else {
  expectType<Equal<typeof event, KnownEvent<"compliance.review.opened"> | UnknownEvent>>();
  if (event.type === "compliance.review.opened") use(event.data.review_id);
}
