import express from "express";
import { describe, expect, it } from "vitest";
import { attach, type ExpressRequest } from "../../adapters/express-request.ts";
import type { AcceptedOutcome } from "../../src/index.ts";
import { quietReceiver } from "./contract/mounts.ts";
import { signed } from "./contract/trial.ts";

type Attached = ExpressRequest & { rawBody?: unknown; body?: unknown };

/** What a receiver of its own makes of a request. */
async function acceptedBy(request: object): Promise<AcceptedOutcome> {
  const { body, headers } = signed();
  const outcome = await quietReceiver().receive({ method: "POST", headers, body: Buffer.from(body), request });
  if (outcome.kind !== "accepted") throw new Error(outcome.kind);
  return outcome;
}

/** A request of the prototype given, after `attach`. */
async function attachedTo(prototype: object | null): Promise<{ req: Attached; outcome: AcceptedOutcome }> {
  const req = Object.create(prototype) as Attached;
  const outcome = await acceptedBy(req);
  attach(req, outcome);
  return { req, outcome };
}

/** As Express makes them: one that all apps share, and below it one for each app, which names the app. */
function prototypeOfApp(shared: object): object {
  return Object.create(shared, { app: { configurable: true, enumerable: true, writable: true, value: {} } });
}

function expectAttached({ req, outcome }: Awaited<ReturnType<typeof attachedTo>>): void {
  expect(req.bluumEvent).toBe(outcome.event);
  expect(req.bluumDelivery).toBe(outcome.context);
  expect(req.rawBody).toBe(outcome.context.rawBody);
  expect(req.body).toBe(outcome.event.payload);
  expect((req as { _body?: boolean })._body).toBe(true);
}

describe("what Express's middleware attaches", () => {
  it("adds one property beside the receiver's note to a request of Express, whose prototype tells the rest", async () => {
    const attached = await attachedTo(express().request);
    expectAttached(attached);
    expect(Object.keys(attached.req)).toEqual(["body"]);
    expect(Object.getOwnPropertySymbols(attached.req)).toHaveLength(1);
  });

  it("are properties of a request that has no app, whatever its prototype", async () => {
    for (const prototype of [null, {}, Object.create({ rawBody: undefined })]) {
      const attached = await attachedTo(prototype);
      expectAttached(attached);
      expect(Object.keys(attached.req).sort()).toEqual(["_body", "bluumDelivery", "bluumEvent", "body", "rawBody"]);
    }
  });

  it("are such properties, too, where the shared prototype takes nothing more", async () => {
    expectAttached(await attachedTo(prototypeOfApp(Object.preventExtensions({}))));
    expectAttached(await attachedTo(prototypeOfApp(Object.freeze({ any: true }))));
    expectAttached(await attachedTo(prototypeOfApp(Object.create(null))));
  });

  it("leave alone a prototype on which somebody has one of the names", async () => {
    const shared = { bluumEvent: undefined };
    expectAttached(await attachedTo(prototypeOfApp(shared)));
    expect(Object.keys(shared)).toEqual(["bluumEvent"]);
    expect(Object.getOwnPropertyNames(shared)).toEqual(["bluumEvent"]);
  });

  it("are the later ones after a second receiver, those of the first after the first again", async () => {
    const { req, outcome } = await attachedTo(express().request);
    const later = await acceptedBy(req);
    attach(req, later);
    expect(req.bluumEvent).toBe(later.event);
    attach(req, outcome);
    expect(req.bluumEvent).toBe(outcome.event);
    expect(req.bluumDelivery).toBe(outcome.context);
    attach(req, later);
    expect(req.bluumEvent).toBe(later.event);
  });
});
