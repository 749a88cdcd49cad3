// Readiness, and a shutdown that loses no event: docs/guides/production.md, "Shut down".
import { setTimeout as sleep } from "node:timers/promises";
import { closeDatabase } from "./database.mjs";
import { inbox } from "./inbox.mjs";
import { log } from "./log.mjs";
import { receiver } from "./receiver.mjs";
import { stopTelemetry } from "./telemetry.mjs";

const { DRAIN_MS = 5_000, CLOSE_MS = 20_000 } = process.env;
let stopping = false;

/** Whether this process should get deliveries: it is not stopping, and the inbox answers in time. */
export async function isReady() {
  const answers = inbox.stats().then(
    () => true,
    () => false,
  );
  return (await Promise.race([answers, sleep(2_000, false, { ref: false })])) && !stopping;
}

/**
 * Closes everything at SIGTERM or SIGINT, in the order in which events flow.
 *
 * @param server the HTTP server; none in a process with only a worker
 */
export function closeOnSignal(server) {
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => close(signal, server));
}

async function close(signal, server) {
  if (stopping) return;
  stopping = true;
  log.info(`${signal}: closing`);
  if (server) {
    await sleep(Number(DRAIN_MS)); // until the load balancer has noticed, deliveries still come
    server.close(); // takes no new connections
  }
  // Its worker takes no new event. Handlers at work may finish; what is left then goes back to the queue.
  await receiver.close({ timeoutMs: Number(CLOSE_MS) });
  setTimeout(() => process.exit(), 2_000).unref(); // for what hangs, such as a handler that ignores its signal
  await inbox.store.close(); // stops the background purge
  await closeDatabase();
  await stopTelemetry();
  log.info("closed");
}
