// A delivery through `handle` while patterns that do not match, and handlers that do, grow in number.
import { createReceiver, memoryStore } from "bluum-webhooks";
import { RenewableBody } from "../material/bodies.mjs";
import { SECRET, SIGNED } from "../material/signatures.mjs";
import { overSizes, turnOf } from "./sizes.mjs";

const ROOM = 5_000_000;

/** One handler matches, at two levels, among ever more that do not: what a set look-up a level costs, and no more. */
export async function measurePatterns({ scaleHandlers, scaleEvents, rounds }) {
  const group = "handle, 2 KB, by patterns of which one matches";
  const rows = await overSizes(
    group,
    { name: "patterns", x: "patterns" },
    members(scaleHandlers, scaleEvents, 1, others),
    rounds,
  );
  const last = rows.at(-1);
  last.goal = { figure: "wall ratio", atMost: 1.1 };
  return rows;
}

/** All match, each under a memory of its own, so the cost must grow with them and no faster. */
export function measureHandlers({ scaleHandlers, scaleEvents, rounds }) {
  const group = "handle, 2 KB, by handlers that match, time a handler";
  return overSizes(
    group,
    { name: "handlers", x: "handlers" },
    members(scaleHandlers, scaleEvents, 0, matching),
    rounds,
  );
}

function members(sizes, events, shared, register) {
  return sizes.map((at) => {
    const store = memoryStore({ maxEntries: ROOM, onEvict: () => {} });
    const receiver = createReceiver({ secret: SECRET, store, namespace: "bench" });
    register(receiver, at);
    const perEvent = shared === 1 ? 1 : at;
    const count = Math.max(2, Math.ceil(events / 10 / perEvent));
    const deliveries = Array.from({ length: count }, () => deliveryOf(new RenewableBody(2_048)));
    return { at, run: () => turn(receiver, deliveries, perEvent) };
  });
}

function others(receiver, count) {
  receiver.on("order.filled", () => {});
  for (let nth = 1; nth < count; nth++) receiver.on(`custom${nth}.*`, () => {});
}

function matching(receiver, count) {
  for (let nth = 0; nth < count; nth++) receiver.on("order.*", () => {}, { name: `handler ${nth}` });
}

function deliveryOf(renewable) {
  return { renewable, method: "POST", headers: {}, body: renewable.bytes };
}

async function turn(receiver, deliveries, perEvent) {
  for (const { renewable, headers } of deliveries) {
    renewable.renew();
    Object.assign(headers, SIGNED.bluum(renewable.bytes));
  }
  return turnOf(deliveries.length * perEvent, async () => {
    for (const delivery of deliveries) {
      const { status } = await receiver.handle(delivery);
      if (status !== 200) throw new Error(`answered ${status}`);
    }
  });
}
