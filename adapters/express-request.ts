import type { IncomingMessage } from "node:http";
import { type AcceptedOutcome, acceptedOf, type BluumEvent, type DeliveryContext } from "../src/index.ts";
import { leaveBody } from "./node.ts";

/** What the adapter uses of an Express request, of either major. */
export type ExpressRequest = IncomingMessage & { bluumEvent?: BluumEvent; bluumDelivery?: DeliveryContext };

/**
 * Attaches an accepted event, its context and its body to a request.
 *
 * Express changes the prototype of each request, and before Node 24 every property that is added to such an object afterwards costs
 * what a small hash does. So all but `req.body` is read through accessors, which stand on the prototype that Express's requests
 * share and find the outcome that the receiver has noted on the request. What they do not tell is added all the same.
 */
export function attach(req: ExpressRequest, outcome: AcceptedOutcome): void {
  equip(Object.getPrototypeOf(req));
  if (req.bluumEvent !== outcome.event) req.bluumEvent = outcome.event;
  if (req.bluumDelivery !== outcome.context) req.bluumDelivery = outcome.context;
  leaveBody(req, outcome);
}

const ACCESSORS = {
  bluumEvent: accessor("bluumEvent", (accepted) => accepted.event),
  bluumDelivery: accessor("bluumDelivery", (accepted) => accepted.context),
  rawBody: accessor("rawBody", (accepted) => accepted.context.rawBody),
  _body: accessor("_body", () => true),
};

/** Assigning makes an ordinary property of the request, as it would without the accessor. */
function accessor(name: string, read: (accepted: AcceptedOutcome) => unknown): PropertyDescriptor {
  return {
    configurable: true,
    get(this: object) {
      const accepted = acceptedOf(this);
      return accepted && read(accepted);
    },
    set(this: object, value: unknown) {
      Object.defineProperty(this, name, { configurable: true, enumerable: true, writable: true, value });
    },
  };
}

/** Prototypes that need not be looked at again. */
const equipped = new WeakSet<object>();

/** Defines the accessors for the requests of an app and of all apps that it is mounted in: a request passes from one to the other. */
function equip(prototype: object | null): void {
  if (prototype === null || equipped.has(prototype)) return;
  equipped.add(prototype);
  // The prototype of an app's own requests names the app. What all apps share lies below.
  let shared: object | null = prototype;
  while (shared !== null && Object.hasOwn(shared, "app")) shared = Object.getPrototypeOf(shared);
  if (shared === null || shared === prototype || equipped.has(shared)) return;
  equipped.add(shared);
  // Names that somebody else has taken stay theirs.
  const free = Object.isExtensible(shared) && !Object.keys(ACCESSORS).some((name) => name in (shared as object));
  if (free) Object.defineProperties(shared, ACCESSORS);
}
