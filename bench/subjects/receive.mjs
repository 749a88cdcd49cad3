// The whole `receive` with claim and settle in memory, and the paths on which a delivery is refused or known already.
import { createHmac } from "node:crypto";
import { createReceiver, memoryStore } from "bluum-webhooks";
import { RenewableBody } from "../material/bodies.mjs";
import { verifyAndParse } from "../material/floor.mjs";
import { SECRET, SIGNED } from "../material/signatures.mjs";
import { takeTurns } from "../measure/turns.mjs";

const SIZE = 2_048;
/** More than any run brings, so that eviction is not measured here. */
const ROOM = 5_000_000;

export async function measure(effort) {
  return [...(await fresh(effort)), ...(await otherPaths(effort)), ...(await forgedMegabyte(effort))];
}

/** Every event is fresh: the floor asks and fills a Map, ours claims and settles. */
function fresh({ rounds, batch }) {
  const deliveries = deliveriesOf(batch);
  const candidates = [
    floorAndMap("floor + Map", deliveries),
    floorAndMap("floor + Map again (A/A)", deliveries),
    { ...accepted("ours: receive + settle", deliveries), goal: { figure: "wall ratio", atMost: 1.35 } },
    handled("ours: handle, one handler", deliveries),
  ];
  return takeTurns("whole receive, 2 KB", candidates, { rounds, count: batch, beforeRound: () => renew(deliveries) });
}

function otherPaths({ rounds, batch }) {
  const deliveries = deliveriesOf(batch);
  const reads = { bodies: 0 };
  const candidates = [
    accepted("accepted", deliveries),
    accepted("accepted again (A/A)", deliveries),
    duplicates(deliveriesOf(batch)),
    { ...refused("forged", deliveries.map(forged)), goal: { figure: "wall ratio", atMost: 0.5 } },
    refused(
      "unsigned",
      deliveries.map((delivery) => unsigned(delivery, reads)),
    ),
  ];
  const terms = { rounds, count: batch, beforeRound: () => renew(deliveries) };
  return takeTurns("other paths, 2 KB, to the accepted one", candidates, terms).then((rows) => [
    ...rows,
    {
      group: "other paths, 2 KB, to the accepted one",
      name: "unsigned: bodies read",
      figures: { count: reads.bodies },
      goal: { figure: "count", atMost: 0 },
    },
  ]);
}

/** A megabyte of garbage may cost its reading and its hash, no more. */
function forgedMegabyte({ rounds, sliceMs }) {
  const chunks = Array.from({ length: 16 }, () => Buffer.alloc(65_500, "garbage "));
  // The same megabyte each time: a new one would add page faults and garbage collection to whichever candidate runs.
  const body = Buffer.concat(chunks);
  const delivery = {
    method: "POST",
    headers: { "x-bluum-signature": "0".repeat(64) },
    async body() {
      let end = 0;
      for (const chunk of chunks) end += chunk.copy(body, end);
      return body;
    },
  };
  const hash = (name) => ({
    name,
    async run(count) {
      for (let nth = 0; nth < count; nth++)
        createHmac("sha256", SECRET)
          .update(await delivery.body())
          .digest();
    },
  });
  const candidates = [
    hash("read + hash"),
    hash("read + hash again (A/A)"),
    { ...refused("ours: forged", [delivery]), goal: { figure: "wall ratio", atMost: 1.1 } },
  ];
  return takeTurns("a forged body of 1 MB", candidates, { rounds, sliceMs });
}

function deliveriesOf(count) {
  const deliveries = Array.from({ length: count }, () => {
    const renewable = new RenewableBody(SIZE);
    return { renewable, method: "POST", headers: SIGNED.bluum(renewable.bytes), body: renewable.bytes };
  });
  renew(deliveries);
  return deliveries;
}

/** Makes other events of them, signed. */
function renew(deliveries) {
  for (const { renewable, headers, body } of deliveries) {
    renewable.renew();
    Object.assign(headers, SIGNED.bluum(body));
  }
}

function forged({ method, body }) {
  return { method, body, headers: { "x-bluum-signature": "0".repeat(64) } };
}

function unsigned({ method, body }, reads) {
  const read = async () => {
    reads.bodies += 1;
    return body;
  };
  return { method, headers: { "content-type": "application/json" }, body: read };
}

function floorAndMap(name, deliveries) {
  const known = new Map();
  function run(count) {
    for (let nth = 0; nth < count; nth++) {
      const { body, headers } = deliveries[nth];
      const { id } = verifyAndParse(body, headers["x-bluum-signature"]);
      if (known.has(id)) throw new Error("a fresh event is known");
      known.set(id, { completed: true, at: Date.now() });
    }
  }
  return { name, run };
}

function accepted(name, deliveries) {
  const receiver = receiverWithRoom();
  async function run(count) {
    for (let nth = 0; nth < count; nth++) {
      const outcome = await receiver.receive(deliveries[nth]);
      if (outcome.kind !== "accepted") throw new Error(`${name}: ${outcome.kind}`);
      await outcome.settle("processed");
    }
  }
  return { name, run };
}

function handled(name, deliveries) {
  const receiver = receiverWithRoom().on("order.filled", () => {});
  async function run(count) {
    for (let nth = 0; nth < count; nth++) {
      const { status } = await receiver.handle(deliveries[nth]);
      if (status !== 200) throw new Error(`${name}: ${status}`);
    }
  }
  return { name, run };
}

function duplicates(deliveries) {
  const receiver = receiverWithRoom();
  async function run(count) {
    for (let nth = 0; nth < count; nth++) {
      const outcome = await receiver.receive(deliveries[nth]);
      // Only the first round's are new, and that one only warms up.
      if (outcome.kind === "accepted") await outcome.settle("processed");
    }
  }
  return { name: "duplicate", run };
}

function refused(name, deliveries) {
  const receiver = receiverWithRoom();
  async function run(count) {
    for (let nth = 0; nth < count; nth++) {
      const outcome = await receiver.receive(deliveries[nth % deliveries.length]);
      if (outcome.kind !== "rejected") throw new Error(`${name}: ${outcome.kind}`);
    }
  }
  return { name, run };
}

function receiverWithRoom() {
  const logger = { warn() {}, error() {} };
  return createReceiver({ secret: SECRET, store: memoryStore({ maxEntries: ROOM }), namespace: "bench", logger });
}
