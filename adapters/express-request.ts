/** Whether V8 is one that is slow with what Express makes of a request: that of a Node before 24. */
const SLOW = Number.parseInt(globalThis.process?.versions?.node ?? "", 10) < 24;

/** A property that comes and goes. */
const PASSING = Symbol("bluum-webhooks: passing");

/**
 * Makes it cheap to attach things to an Express request; nothing else about the request changes.
 *
 * Express gives each request the prototype of its app. For every property that is added to such an object, V8 made a new shape
 * before Node 24, which costs more than a small hash and leaves no access to it fast.
 *
 * The remedy: to delete a property turns the object into a plain table, in which adding and reading are cheap.
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
