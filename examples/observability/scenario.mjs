// What goes wrong: somebody sends forgeries, a handler fails, a handler hangs, and then nothing comes any more.
import { setTimeout as sleep } from "node:timers/promises";

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
/** How often Prometheus is asked for its alerts, in milliseconds. */
const LOOK_MS = 200;

/**
 * Plays it. Prints which alerts fire, and when they resolve.
 *
 * @param stage.speed how much faster than the clock the rules are
 * @throws where an alert does not fire, or does not resolve, for three hours of the rules' clock
 */
export async function play({ app, sandbox, prometheus, speed, signal }) {
  const startedAt = performance.now();
  const limitMs = 60_000 + (3 * HOUR_MS) / speed;
  const say = (word, text) => {
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    console.log(`${String(seconds).padStart(5)} s  ${word.padEnd(9)} ${text}`);
  };

  const [event] = await send(5);
  await sandbox.duplicate(event.id);

  say("now", "somebody sends forgeries");
  for (let count = 0; count < 20; count++) await sandbox.forge(event.id, "wrong_secret");
  await fires("BluumSignatureFailures");

  say("now", "the handler fails: events are parked after three attempts");
  app.handler("fails");
  await send(2);
  await fires("BluumEventsParked");

  say("now", "the handler hangs: events wait");
  app.handler("hangs");
  await send(6);
  await fires("BluumEventsWaitTooLong");
  app.handler("works");

  say("now", "the handler is repaired; nothing comes any more");
  await resolves("BluumSignatureFailures");
  await resolves("BluumEventsParked");
  await resolves("BluumEventsWaitTooLong");
  await fires("BluumNoDeliveries");

  say("now", "deliveries come again");
  await send(1);
  await resolves("BluumNoDeliveries");

  /** Sends some orders, and waits until they are acknowledged. */
  async function send(count) {
    const sent = [];
    for (let left = count; left > 0; left--) sent.push(...(await sandbox.send("order.filled")));
    await sandbox.advance(0);
    return sent;
  }

  async function fires(name) {
    const { annotations } = await until(name, (alert) => alert?.state === "firing");
    say("firing", `${name}: ${annotations.summary}`);
  }

  async function resolves(name) {
    await until(name, (alert) => alert?.state !== "firing");
    say("resolved", name);
  }

  async function until(name, isSo) {
    const deadline = performance.now() + limitMs;
    while (performance.now() < deadline) {
      const alert = (await prometheus.alerts()).find(({ labels }) => labels.alertname === name);
      if (isSo(alert)) return alert;
      await sleep(LOOK_MS, undefined, { signal });
    }
    throw new Error(`${name} did not change within ${limitMs} ms`);
  }
}

/** The deliveries of the hours after this moment a week ago, 30 an hour, as OpenMetrics. Without them nobody would miss any today. */
export function lastWeek({ speed, intervalMs }) {
  const hourMs = HOUR_MS / speed;
  const from = Date.now() - WEEK_MS / speed;
  const to = from + 4 * hourMs;
  const lines = ["# TYPE bluum_webhooks_deliveries counter"];
  for (let at = from; at < to; at += intervalMs) {
    const count = Math.floor((30 * (at - from)) / hourMs);
    lines.push(
      `bluum_webhooks_deliveries_total{messaging_destination_name="orders",outcome="accepted"} ${count} ${at / 1_000}`,
    );
  }
  return [...lines, "# EOF", ""].join("\n");
}
