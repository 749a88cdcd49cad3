import type { ClaimBy, DedupeStore } from "../../src/stores/store.ts";
import type { StoreUnderTest } from "../../src/testing/store-contract.ts";
import { manualClock } from "../stores/clock.ts";

interface PlainRecord {
  token: string;
  until: number;
  done: boolean;
}

/** A store without frills, whose insides a broken one can reach. */
interface Insides {
  readonly records: Map<string, PlainRecord>;
  readonly now: () => number;
  /** The record of a key that has not ended. */
  readonly current: (key: string) => PlainRecord | undefined;
}

function plainStore({ records, now, current }: Insides): Required<DedupeStore> {
  const hold = (key: string, { token, leaseMs }: ClaimBy) =>
    records.set(key, { token, until: now() + leaseMs, done: false });
  const held = (key: string, token: string) => {
    const found = current(key);
    return found !== undefined && !found.done && found.token === token;
  };
  return {
    shared: false,
    async claim(key, by) {
      const found = current(key);
      if (found?.done) return { status: "completed" };
      if (found && found.token !== by.token) return { status: "in_flight", remainingMs: found.until - now() };
      hold(key, by);
      return { status: "claimed" };
    },
    async renew(key, by) {
      const mine = held(key, by.token);
      if (mine) hold(key, by);
      return mine;
    },
    async complete(key, { token, retentionMs }) {
      const found = current(key);
      if (found && found.token !== token) return found.done ? "completed_by_another" : "held_by_another";
      records.set(key, { token, until: now() + retentionMs, done: true });
      return "stored";
    },
    async release(key, { token }) {
      return held(key, token) && records.delete(key);
    },
    async forget(key) {
      return current(key) !== undefined && records.delete(key);
    },
    async close() {},
    unanswered: () => 0,
  };
}

/** What breaks it: verbs that take the place of the sound ones. */
export type Break = (sound: Required<DedupeStore>, insides: Insides) => Partial<DedupeStore>;

/** A store on a manual clock, with one thing broken. */
export function broken(breakIt: Break): StoreUnderTest {
  const { now, advance } = manualClock();
  const records = new Map<string, PlainRecord>();
  const current = (key: string) => {
    const found = records.get(key);
    return found && found.until > now() ? found : undefined;
  };
  const insides = { records, now, current };
  const sound = plainStore(insides);
  return { store: { ...sound, ...breakIt(sound, insides) }, advance };
}

/** A store that treats keys as `same` does: two keys that it makes alike are one event. */
function keyedBy(same: (key: string) => string): Break {
  return (sound) => ({
    claim: (key, by) => sound.claim(same(key), by),
    renew: (key, by) => sound.renew(same(key), by),
    complete: (key, by) => sound.complete(same(key), by),
    release: (key, by) => sound.release(same(key), by),
    forget: (key) => sound.forget(same(key)),
  });
}

const tick = () => Promise.resolve();

/** Broken stores: what is wrong, how it is done, and cases that must find it. Every case of the suite is named somewhere. */
export const brokenStores: readonly (readonly [what: string, breakIt: Break, foundBy: readonly string[]])[] = [
  [
    "grants every claim",
    () => ({ claim: async () => ({ status: "claimed" }) }),
    ["a fresh event goes to the first who claims it"],
  ],
  [
    "refuses a token whose claim expired",
    (sound, { current, records }) => ({
      async claim(key, by) {
        const expired = !current(key) && records.get(key)?.token === by.token;
        return expired ? { status: "in_flight", remainingMs: 1 } : sound.claim(key, by);
      },
    }),
    ["an expired claim can be taken again by its own token"],
  ],
  [
    "looks first and claims later",
    (sound, { current, records, now }) => ({
      async claim(key, by) {
        if (current(key)) return sound.claim(key, by);
        await tick();
        records.set(key, { token: by.token, until: now() + by.leaseMs, done: false });
        return { status: "claimed" };
      },
    }),
    [
      "of 50 who claim a fresh event at once one gets it, 200 times",
      "of 50 who take an expired claim at once one gets it",
    ],
  ],
  [
    "takes an expired claim over in two steps",
    (sound, { current, records, now }) => ({
      async claim(key, by) {
        if (current(key) || !records.has(key)) return sound.claim(key, by);
        await tick();
        records.set(key, { token: by.token, until: now() + by.leaseMs, done: false });
        return { status: "claimed" };
      },
    }),
    ["of 50 who take an expired claim at once one gets it"],
  ],
  [
    "looks first and completes later",
    (sound, { records, now, current }) => ({
      async complete(key, { token, retentionMs }) {
        const found = current(key);
        if (found && found.token !== token) return sound.complete(key, { token, retentionMs });
        await tick();
        records.set(key, { token, until: now() + retentionMs, done: true });
        return "stored";
      },
    }),
    [
      "of many completions of an expired claim at once one is stored",
      "of a late completion and a take-over at once one counts, and both learn which",
    ],
  ],
  [
    "refuses its own token's second claim",
    (sound, { current }) => ({
      async claim(key, by) {
        return sound.claim(key, current(key)?.done === false ? { ...by, token: "nobody's" } : by);
      },
    }),
    [
      "a claim repeated by its own token is claimed again, with a fresh lease",
      "a claim sent many times at once by one token is claimed each time",
    ],
  ],
  [
    "keeps the old lease when its own token claims again",
    (sound, { current }) => ({
      async claim(key, by) {
        const mine = current(key)?.token === by.token && !current(key)?.done;
        return mine ? { status: "claimed" } : sound.claim(key, by);
      },
    }),
    ["a claim repeated by its own token is claimed again, with a fresh lease"],
  ],
  [
    "lets the token that completed an event claim it again",
    (sound, { current, records }) => ({
      async claim(key, by) {
        if (current(key)?.token === by.token) records.delete(key);
        return sound.claim(key, by);
      },
    }),
    ["a completed event is completed for everyone, the token that completed it included"],
  ],
  [
    "tells of no time left",
    (sound) => ({
      async claim(key, by) {
        const found = await sound.claim(key, by);
        return found.status === "in_flight" ? { ...found, remainingMs: 0 } : found;
      },
    }),
    [
      "a claim on an event in flight learns how long the lease still runs",
      "of 50 who claim a fresh event at once one gets it, 200 times",
    ],
  ],
  [
    "never lets a claim expire",
    (sound) => ({ claim: (key, by) => sound.claim(key, { ...by, leaseMs: Number.MAX_SAFE_INTEGER }) }),
    ["an expired claim can be taken by another"],
  ],
  [
    "gives whoever asks later a longer lease on another's claim",
    (sound, { current }) => ({
      async renew(key, by) {
        const found = current(key);
        if (found && !found.done) found.until += by.leaseMs;
        return sound.renew(key, by);
      },
    }),
    ["a renewal by another token is refused and changes nothing"],
  ],
  [
    "renews by adding to what is left",
    (_, { current }) => ({
      async renew(key, by) {
        const found = current(key);
        if (found?.token !== by.token || found.done) return false;
        found.until += by.leaseMs;
        return true;
      },
    }),
    ["a renewal by the holder counts from now, with its own term"],
  ],
  [
    "answers a renewal and does not renew",
    (_, { current }) => ({
      async renew(key, { token }) {
        return current(key)?.token === token && !current(key)?.done;
      },
    }),
    ["a renewed claim outlives its first term", "a renewal by the holder counts from now, with its own term"],
  ],
  [
    "renews whoever asks",
    (sound, { current }) => ({
      async renew(key, by) {
        return sound.renew(key, { ...by, token: current(key)?.token ?? by.token });
      },
    }),
    ["a renewal by another token is refused and changes nothing", "a lost claim cannot be renewed"],
  ],
  [
    "creates a claim by renewing",
    (sound, { current }) => ({
      async renew(key, by) {
        return current(key) ? sound.renew(key, by) : (await sound.claim(key, by)).status === "claimed";
      },
    }),
    [
      "a renewal without a claim is refused and creates nothing",
      "a renewal after a release is refused and creates nothing",
    ],
  ],
  [
    "revives an expired claim by renewing",
    (sound, { records, now }) => ({
      async renew(key, by) {
        const found = records.get(key);
        if (found && !found.done && found.token === by.token) found.until = now() + by.leaseMs;
        return sound.renew(key, by);
      },
    }),
    ["a renewal does not revive an expired claim"],
  ],
  [
    "turns a completion into a claim by renewing",
    (sound, { current }) => ({
      async renew(key, by) {
        const found = current(key);
        if (found?.token === by.token) found.done = false;
        return sound.renew(key, by);
      },
    }),
    ["a renewal does not touch a completed event"],
  ],
  [
    "prolongs a retention by renewing",
    (sound, { current }) => ({
      async renew(key, by) {
        const found = current(key);
        if (found?.done) found.until += by.leaseMs;
        return sound.renew(key, by);
      },
    }),
    ["a renewal does not prolong a completed event's retention"],
  ],
  [
    "completes over whoever holds the event",
    (_, { records, now }) => ({
      async complete(key, { token, retentionMs }) {
        records.set(key, { token, until: now() + retentionMs, done: true });
        return "stored";
      },
    }),
    [
      "a completion is refused while another token holds the event",
      "a completion is refused once another token has completed the event",
      "a lost claim cannot be completed while another holds the event",
      "a lost claim counts for nothing once its new owner has completed the event",
    ],
  ],
  [
    "forgets who completed an event",
    (sound, { current }) => ({
      async complete(key, by) {
        return current(key)?.done ? "completed_by_another" : sound.complete(key, by);
      },
    }),
    [
      "a completion repeated by its own token is stored",
      "a completion sent many times at once by one token is stored each time",
    ],
  ],
  [
    "refuses to complete an expired claim",
    (sound, { current }) => ({
      async complete(key, by) {
        return current(key) ? sound.complete(key, by) : "held_by_another";
      },
    }),
    [
      "a completion of an expired claim that no other token took is stored",
      "a completion of a released event is stored",
    ],
  ],
  [
    "forgets completions",
    (sound, { records }) => ({
      async complete(key, by) {
        const result = await sound.complete(key, by);
        if (result === "stored") records.delete(key);
        return result;
      },
    }),
    ["a completion by the holder is stored"],
  ],
  [
    "lets a completion end with the lease",
    (sound, { current }) => ({
      async complete(key, by) {
        const leaseEnd = current(key)?.until;
        const result = await sound.complete(key, by);
        const stored = current(key);
        if (stored && leaseEnd) stored.until = leaseEnd;
        return result;
      },
    }),
    ["a completion outlives the lease of its claim"],
  ],
  [
    "remembers completions for ever",
    (sound) => ({ complete: (key, by) => sound.complete(key, { ...by, retentionMs: Number.MAX_SAFE_INTEGER }) }),
    ["an event may be claimed again when its retention has expired"],
  ],
  [
    "releases whoever's claim it is",
    (_, { current, records }) => ({
      async release(key) {
        return current(key)?.done === false && records.delete(key);
      },
    }),
    [
      "a release by another token is refused and changes nothing",
      "a release repeated does not disturb the next holder",
      "a lost claim cannot be released",
    ],
  ],
  [
    "releases completions",
    (_, { current, records }) => ({
      async release(key, { token }) {
        return current(key)?.token === token && records.delete(key);
      },
    }),
    ["a release of a completed event is refused and keeps it"],
  ],
  [
    "answers a release and does not release",
    (_, { current }) => ({
      async release(key, { token }) {
        return current(key)?.token === token && current(key)?.done === false;
      },
    }),
    ["a released event can be claimed by another at once"],
  ],
  [
    "says it released what was not there",
    (sound) => ({
      async release(key, by) {
        await sound.release(key, by);
        return true;
      },
    }),
    ["a release without a claim is refused", "a release by another token is refused and changes nothing"],
  ],
  [
    "bars a token that released",
    (sound) => {
      const barred = new Set<string>();
      return {
        async claim(key, by) {
          return barred.has(by.token) ? { status: "in_flight", remainingMs: 1 } : sound.claim(key, by);
        },
        async release(key, by) {
          barred.add(by.token);
          return sound.release(key, by);
        },
      };
    },
    ["a released event can be claimed again by its own token"],
  ],
  [
    "lets a token claim its event back after it expired",
    (sound, { records }) => {
      const first = new Map<string, string>();
      return {
        async claim(key, by) {
          if (!first.has(key)) first.set(key, by.token);
          else if (first.get(key) === by.token && records.get(key)?.done === false) records.delete(key);
          return sound.claim(key, by);
        },
      };
    },
    ["a lost claim cannot be claimed back"],
  ],
  [
    "forgets completions only",
    (sound, { current }) => ({
      forget: async (key) => current(key)?.done === true && sound.forget(key),
    }),
    ["forget, if the store has it, drops a live claim"],
  ],
  [
    "forgets claims only",
    (sound, { current }) => ({
      forget: async (key) => current(key)?.done === false && sound.forget(key),
    }),
    ["forget, if the store has it, drops a completion"],
  ],
  [
    "forgets what was never there",
    (sound) => ({
      async forget(key) {
        await sound.forget(key);
        return true;
      },
    }),
    ["forget, if the store has it, is false without a record"],
  ],
  [
    "forgets by prefix",
    (_, { records }) => ({
      async forget(key) {
        const matching = [...records.keys()].filter((one) => one.startsWith(key.replace(/[*%]$/, "")));
        return matching.filter((one) => records.delete(one)).length > 0;
      },
    }),
    ["forget, if the store has it, takes its key literally"],
  ],
  ["ignores case", keyedBy((key) => key.toLowerCase()), ["keys that differ only by case are different events"]],
  [
    "trims its keys",
    keyedBy((key) => key.trimEnd()),
    ["keys that differ only by a space in front or behind are different events"],
  ],
  [
    "cuts keys at 255 bytes",
    keyedBy((key) => key.slice(0, 255)),
    ["keys of 256 bytes that differ in their first or last character only are different events"],
  ],
  [
    "drops quotes",
    keyedBy((key) => key.replaceAll(/['"`]/g, "")),
    [
      "keys that differ in one printable ASCII character are different events",
      "keys with characters that backends treat specially are different events",
    ],
  ],
  [
    "decodes percent signs",
    keyedBy((key) => key.replaceAll("%2F", "/")),
    ["keys with characters that backends treat specially are different events"],
  ],
  ["knows one event only", keyedBy(() => "the event"), ["different events do not touch one another"]],
  [
    "lets others in while it completes",
    (sound, { records, now, current }) => ({
      async complete(key, { token, retentionMs }) {
        if (current(key)?.token !== token) return sound.complete(key, { token, retentionMs });
        records.delete(key);
        await tick();
        records.set(key, { token, until: now() + retentionMs, done: true });
        return "stored";
      },
    }),
    ["no other token gets an event while its holder completes it"],
  ],
  [
    "lets everyone in while it releases",
    (sound, { current, records }) => {
      const open = new Set<string>();
      return {
        async claim(key, by) {
          return open.has(key) ? { status: "claimed" } : sound.claim(key, by);
        },
        async release(key, by) {
          if (current(key)?.token !== by.token || current(key)?.done) return false;
          open.add(key);
          await tick();
          open.delete(key);
          return records.delete(key);
        },
      };
    },
    ["at most one gets an event while its holder releases it"],
  ],
  [
    "releases what was completed while it looked",
    (_, { current, records }) => ({
      async release(key, by) {
        if (current(key)?.token !== by.token || current(key)?.done) return false;
        await tick();
        return records.delete(key);
      },
    }),
    ["an event completed and released at once by its holder stays completed"],
  ],
];
