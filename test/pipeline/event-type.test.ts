import { describe, expect, it } from "vitest";
import { type EventTypeOption, parseEvent, type VerifiedDelivery, type VerifiedPayload } from "../../src/index.ts";
import { accepted, bench, signed, verdict } from "./receiving.ts";

/** A delivery whose body names no event in the documented places. */
function unnamed(headers: Record<string, string> = {}) {
  const delivery = signed({ event: "order.filled", kind: "push", data: {} });
  return { ...delivery, headers: { ...delivery.headers, ...headers } };
}

describe("the eventType option", () => {
  it("names the event's type by the payload, the raw body or the headers", async () => {
    const options: EventTypeOption[] = [
      ({ payload }) => payload.kind as string,
      ({ rawBody }) => JSON.parse(new TextDecoder().decode(rawBody)).kind,
      ({ headers }) => headers["x-event-type"],
    ];
    for (const eventType of options) {
      const { receiver } = bench({ eventType });
      const { event } = accepted(await receiver.receive(unnamed({ "X-Event-Type": "push" })));
      expect(event.type).toBe("push");
    }
  });

  it.each([undefined, ""])("falls back to the documented fields for %j", async (answer) => {
    const { receiver } = bench({ eventType: () => answer });
    expect(accepted(await receiver.receive(unnamed())).event.type).toBe("order.filled");
  });

  it.each<[string, unknown]>([
    ["throws", () => JSON.parse("{")],
    ["returns a number", () => 7],
    ["returns a promise", async () => "push"],
    ["returns a promise that rejects", () => Promise.reject(new Error("no"))],
  ])("refuses the delivery with 500 event_type_failed where it %s", async (_, eventType) => {
    const { receiver } = bench({ eventType: eventType as EventTypeOption });
    expect(verdict(await receiver.receive(unnamed()))).toBe("event_type_failed");
    expect(await receiver.handle(unnamed())).toMatchObject({ status: 500 });
  });

  it("is asked only after the signature was verified", async () => {
    const asked: VerifiedPayload[] = [];
    const { receiver } = bench({ eventType: (verified) => void asked.push(verified) as undefined });
    const forged = { ...unnamed(), body: new TextEncoder().encode('{"event":"order.filled"}') };
    expect(verdict(await receiver.receive(forged))).toBe("signature_mismatch");
    expect(asked).toEqual([]);
  });
});

describe("parseEvent", () => {
  it("takes the type that the option had named", async () => {
    const { receiver } = bench({ eventType: ({ payload }) => payload.kind as string });
    const { event } = accepted(await receiver.receive(signed({ kind: "push", data: {} })));
    expect(parseEvent(event.payload, { id: event.id, type: event.type })).toEqual(event);
  });
});

describe("the headers of a delivery", () => {
  it("reach the eventId option and the context, with names in lower case", async () => {
    const seen: VerifiedDelivery[] = [];
    const { receiver } = bench({ eventId: (verified) => void seen.push(verified) as undefined });
    const { context } = accepted(await receiver.receive(unnamed({ "X-Trace": "t1" })));
    expect(seen[0]?.headers["x-trace"]).toBe("t1");
    expect(context.headers).toMatchObject({ "x-trace": "t1", "x-bluum-signature": expect.any(String) });
  });

  it("are the same from fetch's Headers, several values joined by commas", async () => {
    const { receiver } = bench();
    const delivery = unnamed();
    const headers = new Headers(delivery.headers as Record<string, string>);
    headers.append("X-Trace", "t1");
    headers.append("X-Trace", "t2");
    const { context } = accepted(await receiver.receive({ ...delivery, headers }));
    expect(context.headers["x-trace"]).toBe("t1, t2");
  });
});
