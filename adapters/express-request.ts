/** Whether this is a Node whose V8 is slow with what Express makes of a request. Elsewhere it would do no good, and no harm. */
const SLOW = Number.parseInt(globalThis.process?.versions?.node ?? "", 10) < 24;

/** A property that comes and goes. */
const PASSING = Symbol("bluum-webhooks: passing");

/**
 * Makes it cheap to attach things to an Express request; nothing else about the request changes.
 *
 * Express gives each request the prototype of its app. Before Node 24, V8 makes a new shape for every property that is added to such an
 * object, which costs more than a small hash, and no access to it is fast any more. Deleting a property turns the object
 * into a plain table, in which all of that is cheap.
 */
export function makeRoom(req: object): void {
  if (!SLOW || !isOfExpress(req)) return;
  Reflect.set(req, PASSING, undefined);
  Reflect.deleteProperty(req, PASSING);
}

/** The prototype of an app's requests names the app. */
function isOfExpress(req: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(req);
  return prototype !== null && Object.hasOwn(prototype, "app");
}
