// Accepting on Redis: the whole `handle` with a BullMQ inbox, to verifying and `queue.add` by hand.
import { randomBytes } from "node:crypto";
import { createReceiver } from "bluum-webhooks";
import { bullmqInbox } from "bluum-webhooks/inbox/bullmq";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { RenewableBody } from "../material/bodies.mjs";
import { verifyAndParse } from "../material/floor.mjs";
import { SECRET, SIGNED } from "../material/signatures.mjs";
import { rateOf, ratesOf } from "../stores/rates.mjs";
import { findRedis } from "../stores/servers.mjs";
import { inFlight } from "./messages.mjs";

const GROUP = "inbox, accept on Redis, BullMQ 6, 2 KB";
const CONCURRENCIES = [1, 50];

export async function measureAcceptingOnRedis(effort) {
  const server = await findRedis();
  if (server === undefined) return [{ group: GROUP, name: "all", skipped: "no Redis, and no redis-server installed" }];
  const prefix = `bluum-bench-${randomBytes(6).toString("hex")}`;
  const connection = { url: server.url };
  const queue = new Queue("by-hand", { connection, prefix });
  const inbox = bullmqInbox({ Queue, Worker, connection, prefix, name: "ours", warn: false });
  try {
    // The inbox keeps no commands until it is connected.
    await Promise.all([queue.waitUntilReady(), inbox.stats().catch(() => {})]);
    return await measureOn(queue, inbox, effort);
  } finally {
    await Promise.all([queue.close(), inbox.close()]);
    await clear(server.url, prefix);
    server.stop();
  }
}

async function measureOn(queue, inbox, { inbox: { queued, rounds } }) {
  const receiver = createReceiver({ secret: SECRET, inbox, namespace: "bench" });
  const deliveries = Array.from({ length: queued }, () => ({ method: "POST", renewable: new RenewableBody(2_048) }));
  const rows = [];
  for (const concurrency of CONCURRENCIES) {
    const count = Math.max(4, concurrency === 1 ? queued / 4 : queued);
    const timed = (accept) => () => {
      const some = deliveries.slice(0, count);
      renew(some);
      return rateOf(some.length, () => inFlight(some, concurrency, accept));
    };
    const byHand = timed((delivery) => enqueue(queue, delivery));
    const candidates = [
      { name: "verify + queue.add", run: byHand },
      { name: "verify + queue.add again (A/A)", run: byHand },
      {
        name: "ours: handle",
        run: timed((delivery) => handle(receiver, delivery)),
        ...(concurrency === 50 ? { goal: { figure: "ratio", atLeast: 0.6 } } : {}),
      },
    ];
    rows.push(...(await ratesOf(`${GROUP}, ${concurrency} at a time`, candidates, rounds)));
  }
  return rows;
}

async function enqueue(queue, { headers, body }) {
  const { id } = verifyAndParse(body, headers["x-bluum-signature"]);
  await queue.add("order.filled", { id, body: body.toString() }, { jobId: id });
}

async function handle(receiver, delivery) {
  const { status } = await receiver.handle(delivery);
  if (status !== 200) throw new Error(`ours: answered ${status}`);
}

/** Makes other events of them, signed. */
function renew(deliveries) {
  for (const delivery of deliveries) {
    delivery.renewable.renew();
    delivery.body = delivery.renewable.bytes;
    delivery.headers = { ...SIGNED.bluum(delivery.body), "content-type": "application/json" };
  }
}

/** Deletes what begins with a prefix: the server may be somebody's. */
async function clear(url, prefix) {
  const client = new Redis(url);
  for await (const keys of client.scanStream({ match: `${prefix}*`, count: 10_000 })) {
    if (keys.length > 0) await client.unlink(keys);
  }
  client.disconnect();
}
