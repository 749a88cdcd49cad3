// The app that every host serves: the suite, and a receiver that lives as long as the host does, for deliveries over HTTP.
import { pause } from "./checklist.mjs";
import { SECRET } from "./suite/mount.mjs";
import { runSuite } from "./suite/suite.mjs";

/** How long a claim stands in the receivers of this app, in milliseconds. */
export const LEASE_MS = 3_000;
/** The body limit of this app. */
export const LIMIT_BYTES = 100_000;

/**
 * Makes the app as Request and Response, at the host's start: on some runtimes nothing may be awaited or drawn at random
 * there.
 *
 * @param doors the package's doors by their names in its manifest
 * @param Hono the framework's class
 */
export function makeApp(doors, Hono) {
  const receivers = makeReceivers(doors["."]);
  return {
    receivers,
    /** GET paths and their JSON answers. */
    reads: { "/suite": () => runSuite(doors, Hono), "/seen": () => receivers.seen },
    fetch(request) {
      const { pathname } = new URL(request.url);
      const read = this.reads[pathname];
      if (read !== undefined) return Promise.resolve(read()).then((value) => Response.json(value));
      const receiver = receivers.byPath[pathname];
      if (receiver === undefined) return new Response("", { status: 404 });
      return doors["./fetch"].bluumHandler(receiver)(request);
    },
  };
}

function makeReceivers({ createReceiver, memoryStore }) {
  const seen = { handled: [], finished: [], reports: [] };
  const observe = ({ outcome, code, eventId }) => seen.reports.push({ outcome, code, eventId });
  const options = { secret: SECRET, leaseMs: LEASE_MS, maxBodyBytes: LIMIT_BYTES, bodyTimeoutMs: 500, logger: false };
  const make = (more) => createReceiver({ ...options, observe, ...more }).on("*", handle);
  const handle = async (event) => {
    seen.handled.push(event.id);
    await pause(event.data.hold_ms ?? 0);
    seen.finished.push(event.id);
  };
  // The first fetch of the secret is a slow one.
  let fetches = 0;
  const fetchSecret = async () => {
    fetches += 1;
    if (fetches === 1) await pause(1_000);
    return SECRET;
  };
  const byPath = {
    "/webhooks": make({}),
    "/shared-store": make({ store: { ...memoryStore() }, namespace: "runtimes" }),
    "/one-second": make({ leaseMs: 1_000, maxProcessingMs: 1_000 }),
    "/fetched-secret": make({ secret: fetchSecret }),
  };
  return { seen, byPath };
}
