import type { BluumOrder } from "../../src/bluum/catalogue.ts";
import { sampleEvent } from "../../src/testing/samples.ts";
import { type Equal, expectType, use } from "./equal.ts";

// The payload has the name's own data.
const sample = sampleEvent("order.filled");
expectType<Equal<typeof sample.event, "order.filled">>();
expectType<Equal<typeof sample.data, BluumOrder>>();
expectType<Equal<typeof sample.timestamp, string>>();
const payload: Record<string, unknown> = sample;
use(payload);

// Overrides: top-level keys, a partial resource, and fields that Bluum may add.
sampleEvent("order.filled", { id: "evt_1", timestamp: "2025-06-15T14:30:15Z" });
sampleEvent("order.filled", { event: undefined, type: "order.filled", timestamp: undefined });
sampleEvent("order.filled", { data: { average_price: "1.00", status: "a status of tomorrow", house_field: 7 } });
// @ts-expect-error an amount is a string
sampleEvent("order.filled", { data: { average_price: 1 } });
// @ts-expect-error a timestamp is a string
sampleEvent("order.filled", { timestamp: 1 });

// Any other name, and one that only the run time knows.
expectType<Equal<ReturnType<typeof other>, Record<string, unknown>>>();
function other() {
  return sampleEvent("compliance.review.opened", { data: { review_id: "r" } }).data;
}
declare const anyName: string;
use(sampleEvent(anyName).data.id, sampleEvent("bluum-webhooks.ping").data);
