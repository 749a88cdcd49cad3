// A delivery whose handler waits, while ever more others are in flight.
import { createReceiver, memoryStore } from "bluum-webhooks";
import { RenewableBody } from "../material/bodies.mjs";
import { SECRET, SIGNED } from "../material/signatures.mjs";
import { overSizes, turnOf } from "./sizes.mjs";

const IN_FLIGHT = [1, 10, 100, 1_000];
const ROOM = 5_000_000;

export function measureInFlight({ scaleEvents, rounds }) {
  const count = Math.max(10, Math.ceil(scaleEvents / 5));
  const deliveries = Array.from({ length: count }, () => {
    const renewable = new RenewableBody(2_048);
    return { renewable, method: "POST", headers: {}, body: renewable.bytes };
  });
  const members = IN_FLIGHT.map((at) => ({ at, run: turnFor(at, deliveries) }));
  return overSizes(
    "handle, 2 KB, by deliveries in flight",
    { name: "in-flight", x: "deliveries in flight" },
    members,
    rounds,
  );
}

function turnFor(inFlight, deliveries) {
  const store = memoryStore({ maxEntries: ROOM, onEvict: () => {} });
  const receiver = createReceiver({ secret: SECRET, store, namespace: "bench" });
  receiver.on("order.filled", () => new Promise((resolve) => setImmediate(resolve)));
  return () => {
    for (const { renewable, headers } of deliveries) {
      renewable.renew();
      Object.assign(headers, SIGNED.bluum(renewable.bytes));
    }
    return turnOf(deliveries.length, () => handleAll(receiver, deliveries, inFlight));
  };
}

async function handleAll(receiver, deliveries, inFlight) {
  let next = 0;
  const worker = async () => {
    while (next < deliveries.length) {
      const { status } = await receiver.handle(deliveries[next++]);
      if (status !== 200) throw new Error(`answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}
