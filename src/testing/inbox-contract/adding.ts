import { count, holds, same } from "../same.ts";
import { sameMessage } from "./messages.ts";
import type { InboxStatements, InboxTrial } from "./trial.ts";

/** What `add` does. */
export const adding: InboxStatements = {
  "a message is stored once add has resolved, for every connection": async (trial) => {
    for (let added = 1; added <= 10; added += 1) {
      await trial.addAll([trial.message()]);
      same("messages that the peer sees waiting", (await trial.peer.stats()).waiting, added);
    }
    await Promise.all(trial.messages(20).map((message) => trial.add(message)));
    same("messages that the peer sees waiting", (await trial.peer.stats()).waiting, 30);
    trial.work(undefined, { on: trial.peer });
    await trial.idle();
    same("runs", trial.runs.length, 30);
  },

  "the same key twice is one message: the first": async (trial) => {
    const first = trial.message();
    same("adding it", await trial.add(first), "added");
    same("adding it again", await trial.add({ ...first, body: "{}" }), "duplicate");
    same("adding it by the peer", await trial.add({ ...first, body: "{}" }, trial.peer), "duplicate");
    same("messages waiting", (await trial.inbox.stats()).waiting, 1);
    await runsOnce(trial);
    sameMessage("the message that ran", trial.runs[0]?.stored, first);
  },

  "the same key many times at once is one message": async (trial) => {
    const message = trial.message();
    const inboxes = Array.from({ length: 20 }, (_, place) => (place % 2 === 0 ? trial.inbox : trial.peer));
    const results = await Promise.all(inboxes.map((by) => trial.add(message, by).catch(inFlight)));
    same("how many were told that they added it", count(results, "added"), 1);
    await runsOnce(trial);
    same("adding it afterwards", await trial.add(message), "duplicate");
  },

  "a message that was processed is a duplicate": async (trial) => {
    const message = trial.message();
    await trial.addAll([message]);
    await runsOnce(trial);
    same("adding it again", await trial.add(message), "duplicate");
    same("adding it by the peer", await trial.add(message, trial.peer), "duplicate");
    await trial.idle();
    same("runs", trial.runs.length, 1);
  },

  "a message that is running is a duplicate": async (trial) => {
    const [message, gate] = [trial.message(), trial.gate()];
    await trial.addAll([message]);
    trial.work(() => gate.opened);
    await trial.until("the message runs", () => trial.runs.length === 1);
    same("adding it again", await trial.add(message), "duplicate");
    gate.open();
    await trial.idle();
    same("runs", trial.runs.length, 1);
  },

  "a message that is parked is a duplicate, also once it is discarded": async (trial) => {
    const message = trial.message();
    await trial.park([message]);
    same("adding it again", await trial.add(message), "duplicate");
    same("messages parked", (await trial.inbox.stats()).parked, 1);
    await trial.inbox.discard({ keys: [message.key] });
    same("adding it once it is discarded", await trial.add(message), "duplicate");
    same("messages waiting", (await trial.inbox.stats()).waiting, 0);
  },

  "keys with characters that backends treat specially are different messages": async (trial) => {
    const { key: base } = trial.message();
    const endings = ["", "'", '"', ";--", "%", "_", "*", "?", "{a}", "{b}", "#", "#1", "/", "//", "\\", "\\\\"];
    const more = ["$1", "$$", "?1", "\\n", "%00", "%2F", "../x", "[a]", "(", "`", "&amp;", "null", "0", "a", "A"];
    const keys = [...endings, ...more].map((ending) => base + ending);
    const digits = String(BigInt(`0x${base.slice(-12)}`));
    const all = [...keys, digits].map((key) => trial.message({ key }));
    await trial.addAll(all);
    for (const message of all) same(`adding "${message.key}" again`, await trial.add(message), "duplicate");
    trial.work();
    await trial.idle();
    for (const message of all) same(`runs of "${message.key}"`, trial.runsOf(message).length, 1);
  },
};

async function runsOnce(trial: InboxTrial): Promise<void> {
  trial.work();
  await trial.idle();
  same("runs", trial.runs.length, 1);
}

/** Another process is storing the same message: allowed, since the provider's retry then finds it stored. */
function inFlight(error: { code?: unknown }): "in_flight" {
  holds(`adding rejects with event_in_flight at most, not with ${error}`, error.code === "event_in_flight");
  return "in_flight";
}
