// The memory store: time an event, bytes a remembered id, and the longest pause that expiry or eviction makes.
import { memoryStore } from "bluum-webhooks";
import { medianRatio, orderOf } from "../measure/turns.mjs";
import { claimAndComplete, freshEvents } from "./events.mjs";
import { longestPause } from "./pauses.mjs";

const BATCH = 1_000;

export async function measureMemoryStore({ rememberedIds: ids }) {
  const group = `memory store, ${ids.toLocaleString("en-US")} ids`;
  return [
    ...(await filling(group, ids)),
    await steadyState(group, ids),
    await pause(group, "all of them expire at once", () => expiring(ids)),
    await pause(group, "full: each new one evicts the oldest", () => evicting(ids)),
  ];
}

/** A Map of objects that never forgets, and ours, filled batch by batch in turns; and once more, each alone, to weigh it. */
async function filling(group, ids) {
  const makers = [mapOfObjects, oursToFill(ids)];
  const candidates = makers.map((make) => make());
  const turns = candidates.map(() => []);
  for (let done = 0; done < ids; done += BATCH) {
    for (const index of orderOf(candidates.length, done / BATCH))
      turns[index].push(await timed(candidates[index].put, BATCH));
  }
  const rows = [];
  for (const [index, { name, empty }] of candidates.entries()) {
    await empty();
    rows.push({
      group,
      name,
      figures: {
        "wall ns": mean(turns[index]),
        "wall ratio": medianRatio(turns[index], turns[0], "wall"),
        "bytes an id": await weight(makers[index](), ids),
      },
    });
  }
  return rows;
}

async function weight({ put, empty }, ids) {
  const before = heapBytes();
  for (let done = 0; done < ids; done += BATCH) await put(freshEvents(BATCH));
  const bytes = (heapBytes() - before) / ids;
  // It has to be there until it was weighed.
  await empty();
  return bytes;
}

/** As many go as come: each event meets one whose retention has ended. */
async function steadyState(group, ids) {
  let now = 0;
  const before = heapBytes();
  const store = memoryStore({ maxEntries: ids * 2, now: () => now });
  const turns = [];
  const put = async (events) => {
    for (const event of events) {
      now += 1;
      await claimAndComplete(store, event, ids);
    }
  };
  for (let done = 0; done < ids * 2; done += BATCH) {
    const turn = await timed(put, BATCH);
    if (done >= ids) turns.push(turn);
  }
  const bytes = (heapBytes() - before) / ids;
  // It has to be there until it was weighed.
  await store.close();
  return {
    group,
    name: "ours, steady: as many expire as come",
    figures: { "wall ns": mean(turns), "bytes an id": bytes },
    goal: { figure: "bytes an id", atMost: 200 },
  };
}

/** The better of two: what the store does itself comes again, another process that got in between does not. */
async function pause(group, name, prepare) {
  const trials = [];
  for (let trial = 0; trial < 2; trial++) {
    const { put, events } = await prepare();
    trials.push(await longestPause(put, events));
  }
  const [{ longest, own }] = trials.sort((a, b) => a.own - b.own);
  return {
    group,
    name: `ours, ${name}`,
    figures: { "pause ms": own, "with collection ms": longest },
    goal: { figure: "pause ms", atMost: 10 },
  };
}

async function expiring(ids) {
  let now = 0;
  const store = memoryStore({ maxEntries: ids * 2, now: () => now });
  await fill(store, ids, ids);
  now = ids * 10;
  return { put: (event) => claimAndComplete(store, event, ids), events: freshEvents(Math.ceil(ids / 4)) };
}

async function evicting(ids) {
  const store = memoryStore({ maxEntries: ids, onEvict: () => {} });
  await fill(store, ids);
  return { put: (event) => claimAndComplete(store, event), events: freshEvents(Math.ceil(ids / 4)) };
}

async function fill(store, ids, retentionMs) {
  for (let done = 0; done < ids; done += BATCH) {
    for (const event of freshEvents(BATCH)) await claimAndComplete(store, event, retentionMs);
  }
}

function mapOfObjects() {
  const known = new Map();
  const put = (events) => {
    for (const { key } of events) {
      if (known.has(key)) throw new Error("a fresh event is known");
      known.set(key, { state: "claimed", expires: Date.now() });
      known.get(key).state = "completed";
    }
  };
  return { name: "a Map of objects, nothing expires", put, empty: () => known.clear() };
}

function oursToFill(ids) {
  return () => {
    const store = memoryStore({ maxEntries: ids * 2 });
    const put = async (events) => {
      for (const event of events) await claimAndComplete(store, event);
    };
    return { name: "ours, filling", put, empty: () => store.close() };
  };
}

/** @returns nanoseconds an event; making the events is not timed */
async function timed(put, count) {
  const events = freshEvents(count);
  const started = process.hrtime.bigint();
  await put(events);
  return { wall: Number(process.hrtime.bigint() - started) / count };
}

function mean(turns) {
  return turns.reduce((sum, { wall }) => sum + wall, 0) / turns.length;
}

function heapBytes() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
