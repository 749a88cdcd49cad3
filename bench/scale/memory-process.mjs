// A process whose store remembers a given number of ids, and times further events. The store is full from the start, so its size is constant.
import { memoryStore } from "bluum-webhooks";
import { claimAndComplete, freshEvents } from "../stores/events.mjs";
import { turnOf } from "./sizes.mjs";

const BATCH = 1_000;
const ids = Number(process.argv[2]);
const store = memoryStore({ maxEntries: ids, onEvict: () => {} });

for (let done = 0; done < ids; done += BATCH) await through(freshEvents(BATCH));

process.on("message", async (count) => {
  const events = freshEvents(count);
  process.send(await turnOf(count, () => through(events)));
});
process.on("disconnect", () => process.exit(0));
process.send({ full: true });

async function through(events) {
  for (const event of events) await claimAndComplete(store, event);
}
