import { count, same } from "../same.ts";
import type { Statements, Trial } from "./trial.ts";

const MAX_KEY_BYTES = 256;
const PRINTABLE_ASCII = Array.from({ length: 0x7e - 0x20 + 1 }, (_, place) => String.fromCharCode(0x20 + place));

/** What keys may be. */
export const keys: Statements = {
  "keys of 256 bytes that differ in their first or last character only are different events": async (trial) => {
    const middle = trial.key().padEnd(MAX_KEY_BYTES - 2, "x");
    await areDifferentEvents(trial, [`a${middle}a`, `a${middle}b`, `b${middle}a`]);
  },

  "keys that differ in one printable ASCII character are different events": async (trial) => {
    const base = trial.key();
    await areDifferentEvents(
      trial,
      PRINTABLE_ASCII.map((character) => `${base}/${character}/evt`),
    );
  },

  "keys with characters that backends treat specially are different events": async (trial) => {
    const base = trial.key();
    const endings = [
      "'",
      "''",
      '"',
      ";--",
      "%",
      "_",
      "*",
      "?",
      "{a}",
      "{b}",
      "#",
      "#1",
      "/",
      "//",
      ":",
      "::",
      "\\",
      "\\\\",
    ];
    const more = ["$1", "$$", "?1", "\\n", "\\0", "%00", "%2F", "../x", "[a]", "(", "`", "&amp;", "null", "0"];
    await areDifferentEvents(
      trial,
      [...endings, ...more].map((ending) => base + ending),
    );
  },

  "keys that differ only by case are different events": async (trial) => {
    const base = trial.key();
    await areDifferentEvents(trial, [`${base}/evt_a`, `${base}/evt_A`, `${base}/EVT_A`]);
  },

  "keys that differ only by a space in front or behind are different events": async (trial) => {
    const key = trial.key();
    await areDifferentEvents(trial, [key, `${key} `, `${key}  `, ` ${key}`]);
  },
};

/** Claims each, completes every second one, and looks at all again. */
async function areDifferentEvents(trial: Trial, keysOfEvents: readonly string[]): Promise<void> {
  const holders = keysOfEvents.map((key) => trial.contender(key));
  for (const holder of holders) {
    same(`the first claim on "${holder.key}"`, (await holder.claim()).status, "claimed");
  }
  for (const [place, holder] of holders.entries()) {
    if (place % 2 === 0) same(`completing "${holder.key}"`, await holder.complete(), "stored");
  }
  const found = await Promise.all(holders.map(async ({ key }) => (await trial.contender(key).claim()).status));
  same("events found completed", count(found, "completed"), Math.ceil(holders.length / 2));
  same("events found in flight", count(found, "in_flight"), Math.floor(holders.length / 2));
}
