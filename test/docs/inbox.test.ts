import { describe, expect, it } from "vitest";
import { bullmqInbox } from "../../src/inbox/bullmq.ts";
import { pgBossInbox } from "../../src/inbox/pg-boss.ts";
import { queueInbox } from "../../src/inbox/queue.ts";
import { sqliteInbox } from "../../src/inbox/sqlite.ts";
import { codeWords, tableOf } from "./markdown.ts";

const PAGE = "docs/reference/inbox.md";
const UNKNOWN = { none: 1 } as never;

/** Each function, called with an option that does not exist. Its refusal lists those that do. */
const ENGINES = {
  sqliteInbox: () => sqliteInbox({} as never, UNKNOWN),
  bullmqInbox: () => bullmqInbox(UNKNOWN),
  pgBossInbox: () => {
    const verb = () => {};
    const [createQueue, updateQueue, send, fetch, complete, fail, deleteJob] = Array(7).fill(verb);
    return pgBossInbox({ createQueue, updateQueue, send, fetch, complete, fail, deleteJob } as never, UNKNOWN);
  },
  queueInbox: () => queueInbox(UNKNOWN),
};

describe(PAGE, () => {
  it.each(Object.entries(ENGINES))("lists the options of %s", (engine, refuse) => {
    const listed = tableOf(PAGE, engine).flatMap(([option = ""]) => codeWords(option));
    expect(listed).not.toEqual([]);
    expect(refuse).toThrow(`there are ${listed.join(", ")}`);
  });
});
