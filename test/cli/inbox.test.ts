import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { beforeEach, describe, expect, it } from "vitest";
import type { Inbox } from "../../src/inbox/inbox.ts";
import { sqliteInbox } from "../../src/inbox/sqlite.ts";
import type { SqliteDatabase } from "../../src/stores/sqlite.ts";
import { inFull } from "../exhaustive.ts";
import { engines } from "../stores/sqlite-engines.ts";
import { fakeTerminal, ran } from "./fake-terminal.ts";
import { appWith, BIN, message, park, processed, runBin } from "./inbox-support.ts";
import { folder } from "./provider-terminal.ts";

const ESCAPE = "\u001b[2J\u009b31m";
/** Control characters but the line feed, and direction marks. */
const UNSAFE = /(?!\n)[\p{Cc}\p{Cf}]/u;

let file: string;
let inbox: Inbox;

beforeEach(() => {
  file = join(folder(), "webhooks.db");
  inbox = open(file);
});

function open(path: string): Inbox {
  const database = new Database(path);
  database.exec("PRAGMA synchronous = FULL");
  return sqliteInbox(database as unknown as SqliteDatabase);
}

/** Runs `inbox` on the SQLite file. */
function run(line: string, ...more: string[]) {
  return ran(["inbox", ...line.split(" "), ...more, "--sqlite", file], fakeTerminal({}));
}

const three = [message("evt_1"), message("evt_2", { type: "order.rejected" }), message("evt_3")];

describe("inbox stats", () => {
  it("prints how many events there are in each state", async () => {
    await park(inbox, three);
    await inbox.add(message("evt_4"), { retentionMs: 60_000 });
    const { code, out } = await run("stats");
    expect(code).toBe(0);
    expect(out).toMatch(/^waiting +delayed +active +parked +oldest waiting\n +1 +0 +0 +3 +\d+ m?s\n$/);
    const { waiting, parked, oldestWaitingMs } = JSON.parse((await run("stats --json")).out);
    expect({ waiting, parked }).toEqual({ waiting: 1, parked: 3 });
    expect(oldestWaitingMs).toBeGreaterThan(0);
  });
});

describe("inbox parked", () => {
  it("lists keys, types, attempts, times and errors", async () => {
    await park(inbox, three);
    const { code, out } = await run("parked");
    expect(code).toBe(0);
    const [head, ...lines] = out.trimEnd().split("\n");
    expect(head).toMatch(/^key +type +attempts +parked at +error$/);
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual(
      three.map(({ key, type }) => [key, type, "1", expect.stringMatching(/^2\d{3}-.*Z$/), "no such account"]),
    );
  });

  it("prints pages as JSON, without payloads", async () => {
    await park(inbox, three);
    const first = JSON.parse((await run("parked --json --limit 2")).out);
    const { out } = await run("parked --json --cursor", first.cursor);
    const second = JSON.parse(out);
    expect([first, second].map(({ events }) => events.map(({ id }: { id: string }) => id))).toEqual([
      ["evt_1", "evt_2"],
      ["evt_3"],
    ]);
    expect(Object.keys(second.events[0])).toEqual(["key", "id", "type", "attempts", "parkedAt", "error"]);
    expect(second.cursor).toBeUndefined();
    expect(out).not.toContain("amount");
  });

  it("says with which cursor the list goes on", async () => {
    await park(inbox, three);
    const { out, err } = await run("parked --limit 1 --type order.filled");
    expect(out).toContain("orders/evt_1");
    const [, cursor = ""] = /--cursor (\S+)\n$/.exec(err) ?? [];
    expect((await run("parked --type order.filled --cursor", cursor)).out).toContain("orders/evt_3");
  });

  it("cuts errors and escapes control characters", async () => {
    await park(inbox, three.slice(0, 1), `${ESCAPE}\n${"x".repeat(500)}`);
    const { out } = await run("parked");
    expect(out).toContain("\\u{1b}[2J\\u{9b}31m\\u{a}xxx");
    expect(out).not.toMatch(UNSAFE);
    expect(out).not.toContain("x".repeat(150));
    expect((await run("parked --json")).out).not.toMatch(UNSAFE);
  });

  it("exits with 0 if nothing is parked", async () => {
    await inbox.add(message("evt_1"), { retentionMs: 60_000 });
    expect(await run("parked")).toEqual({ code: 0, out: "There are no parked events.\n", err: "" });
  });
});

describe("inbox show", () => {
  it("prints an event with its error, headers and body", async () => {
    await park(inbox, [message("evt_1", { orderingKey: "acc_1" })]);
    const { code, out } = await run("show orders/evt_1");
    expect(code).toBe(0);
    expect(out).toMatch(/^key +orders\/evt_1\nid +evt_1\ntype +order\.filled\nattempts +1\n/);
    expect(out).toMatch(/^ordering key +acc_1\nreceived at +2026-01-02T03:04:05Z\nparked at +2\d{3}-/m);
    expect(out).toMatch(/^error\n {2}.*no such account\n {2} +at .*inbox-support/m);
    expect(out).toContain("headers\n  content-type: application/json\n");
    expect(out).toContain(
      'body\n{\n  "id": "evt_1",\n  "data": {\n    "amount": 10.00,\n    "lines": [\n      1,\n      2\n    ],\n    "none": {}\n  }\n}\n',
    );
  });

  it("prints the exact body as JSON", async () => {
    const stored = message("evt_1");
    await park(inbox, [stored]);
    const { event } = JSON.parse((await run("show --json orders/evt_1")).out);
    expect(event).toMatchObject({ key: "orders/evt_1", attempts: 1, message: stored });
    expect(event.error.stack).toContain("no such account");
  });

  it("escapes control characters in everything", async () => {
    const body = `{"text":"${ESCAPE.slice(4)}\u202e"}`;
    await park(inbox, [message("evt_1", { headers: { "x-name": ESCAPE }, body })], ESCAPE);
    for (const args of ["show orders/evt_1", "show orders/evt_1 --json"]) {
      const { out } = await run(args);
      expect(out).toContain("x-name");
      expect(out).not.toMatch(UNSAFE);
    }
    expect((await run("show orders/evt_1")).out).toContain('"text": "\\u009b31m\\u202e"');
  });

  it("prints an event whose message was altered", async () => {
    await park(inbox, three);
    new Database(file).exec("UPDATE bluum_webhook_inbox SET message = '{' WHERE id = 'evt_2'");
    const { code, out } = await run("show orders/evt_2");
    expect(code).toBe(0);
    expect(out).toContain("The stored message cannot be read");
    expect(out).toContain("no such account");
  });

  it("exits with 1 for a key that is not parked", async () => {
    await inbox.add(message("evt_1"), { retentionMs: 60_000 });
    expect(await run("show orders/evt_1")).toEqual({
      code: 1,
      out: "",
      err: "no event with the key orders/evt_1 is parked.\n",
    });
  });
});

describe("inbox redrive", () => {
  beforeEach(() => park(inbox, three));

  it("makes one event wait again, without a question", async () => {
    expect(await run("redrive orders/evt_2")).toEqual({ code: 0, out: "1 redriven\n", err: "" });
    expect(await processed(inbox, 1)).toEqual(["evt_2"]);
    expect(await inbox.stats()).toMatchObject({ parked: 2 });
  });

  it("makes all events of a type wait again", async () => {
    expect(await run("redrive --type order.filled --yes")).toMatchObject({ code: 0, out: "2 redriven\n" });
    expect(await processed(inbox, 2)).toEqual(["evt_1", "evt_3"]);
  });

  it("makes all events wait again, and prints JSON", async () => {
    const { code, out } = await run("redrive --all --yes --json");
    expect([code, JSON.parse(out)]).toEqual([0, { redriven: 3, notParked: [] }]);
    expect(await inbox.stats()).toMatchObject({ parked: 0, waiting: 3 });
  });

  it.each(["--all", "--type order.filled", "orders/evt_1 orders/evt_2"])(
    "needs --yes for %s without a terminal",
    async (selection) => {
      const { code, out, err } = await run(`redrive ${selection}`);
      expect([code, out]).toEqual([2, ""]);
      expect(err).toMatch(/needs --yes/);
      expect(await inbox.stats()).toMatchObject({ parked: 3 });
    },
  );

  it("prints with --dry-run what it would redrive, and changes nothing", async () => {
    const { code, out } = await run("redrive --type order.filled --dry-run");
    expect(code).toBe(0);
    expect(out).toMatch(/evt_1[\s\S]*evt_3[\s\S]*\nwould redrive 2\n$/);
    expect(out).not.toContain("evt_2");
    const json = JSON.parse((await run("redrive --all --dry-run --json")).out);
    expect(json).toMatchObject({ wouldRedrive: 3, events: three.map(({ key }) => ({ key })) });
    expect(await inbox.stats()).toMatchObject({ parked: 3 });
  });

  it("says which keys are not parked", async () => {
    const args = "redrive orders/evt_9 orders/evt_1 orders/evt_1 --yes";
    expect(await run(args)).toEqual({ code: 0, out: "1 redriven\n", err: "not parked: orders/evt_9\n" });
  });

  it.each(["orders/evt_9", "--type order.canceled --yes"])("exits with 1 if nothing matches %s", async (selection) => {
    expect(await run(`redrive ${selection}`)).toEqual({ code: 1, out: "", err: "no parked event matches.\n" });
  });
});

describe("inbox redrive of many", () => {
  it("counts all, and lists the first hundred", async () => {
    await park(
      inbox,
      Array.from({ length: 230 }, (_, n) => message(`evt_${n}`)),
    );
    const { out } = await run("redrive --type order.filled --dry-run");
    expect(out.trimEnd().split("\n").slice(-2)).toEqual(["and 130 more", "would redrive 230"]);
    expect(await run("redrive --type order.filled --yes")).toMatchObject({ code: 0, out: "230 redriven\n" });
  });
});

describe("inbox discard", () => {
  beforeEach(() => park(inbox, three));

  it("deletes events for good", async () => {
    expect(await run("discard orders/evt_1 --yes")).toEqual({ code: 0, out: "1 discarded\n", err: "" });
    const { out } = await run("discard --type order.filled --yes --json");
    expect(JSON.parse(out)).toEqual({ discarded: 1, notParked: [] });
    expect(await inbox.stats()).toMatchObject({ parked: 1, waiting: 0 });
  });

  it("always needs --yes without a terminal", async () => {
    expect(await run("discard orders/evt_1")).toMatchObject({ code: 2, out: "" });
    expect(await run("discard --all --dry-run")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/would discard 3\n$/),
    });
    expect(await inbox.stats()).toMatchObject({ parked: 3 });
  });
});

describe("on a terminal", () => {
  beforeEach(() => park(inbox, three));

  /** Answers the question of a command line. */
  function answered(line: string, answer: string | undefined) {
    const terminal = fakeTerminal({});
    terminal.stdin.isTTY = true;
    terminal.stderr.isTTY = true;
    terminal.stdin.end(answer);
    return ran(["inbox", ...line.split(" "), "--sqlite", file], terminal);
  }

  it.each(["y\n", "YES\n"])("redrives more than one after %j", async (answer) => {
    expect(await answered("redrive --all", answer)).toEqual({
      code: 0,
      out: "3 redriven\n",
      err: "Redrive 3 parked events? [y/N] ",
    });
  });

  it.each(["n\n", "\n", "yes please\n", undefined])("changes nothing after %j", async (answer) => {
    expect(await answered("redrive --all", answer)).toEqual({
      code: 1,
      out: "",
      err: "Redrive 3 parked events? [y/N] not confirmed; nothing was changed.\n",
    });
    expect(await inbox.stats()).toMatchObject({ parked: 3 });
  });

  it("redrives one without a question, and asks before it deletes one", async () => {
    expect(await answered("redrive --type order.rejected", undefined)).toMatchObject({
      code: 0,
      out: "1 redriven\n",
      err: "",
    });
    expect(await answered("discard orders/evt_1", "y\n")).toMatchObject({
      code: 0,
      out: "1 discarded\n",
      err: "Delete the parked event orders/evt_1 for good? [y/N] ",
    });
  });

  it("deletes only what was there when it asked", async () => {
    const terminal = fakeTerminal({});
    terminal.stdin.isTTY = true;
    terminal.stderr.isTTY = true;
    terminal.stderr.once("data", async () => {
      await park(inbox, [message("evt_4")]);
      terminal.stdin.end("y\n");
    });
    const { out } = await ran(["inbox", "discard", "--all", "--sqlite", file], terminal);
    expect(out).toBe("3 discarded\n");
    expect((await inbox.parked()).events.map(({ id }) => id)).toEqual(["evt_4"]);
  });

  it("exits with 130 after Ctrl-C", async () => {
    const terminal = fakeTerminal({});
    terminal.stdin.isTTY = true;
    terminal.stderr.isTTY = true;
    terminal.stderr.once("data", () => terminal.interrupt());
    const { code, out } = await ran(["inbox", "discard", "--all", "--sqlite", file], terminal);
    expect([code, out]).toEqual([130, ""]);
    expect(await inbox.stats()).toMatchObject({ parked: 3 });
  });
});

/** script(1) runs a program in a terminal. */
const TERMINAL = "script";
const hasTerminals = spawnSync(TERMINAL, ["-qec", "true", "/dev/null"]).status === 0;

describe.skipIf(!hasTerminals)("in a process with a terminal", () => {
  it("asks, and goes on after the answer", async () => {
    await park(inbox, three);
    const line = `'${process.execPath}' '${BIN}' inbox discard --all --sqlite '${file}'`;
    const child = spawn(TERMINAL, ["-qec", line, "/dev/null"], { env: { PATH: process.env.PATH, TERM: "dumb" } });
    const ended = once(child, "close");
    let shown = "";
    child.stdout.on("data", (chunk) => (shown += chunk));
    await expect.poll(() => shown, { timeout: 10_000 }).toContain("Delete 3 parked events for good? [y/N] ");
    child.stdin.write("y\n");
    expect(await ended).toEqual([0, null]);
    expect(shown).toMatch(/\n3 discarded\r?\n/);
    expect(await inbox.stats()).toMatchObject({ parked: 0 });
  });
});

describe("where the inbox is", () => {
  it.each([
    ["stats", /name one inbox/],
    ["stats --sqlite a.db --redis redis://localhost", /name one inbox/],
    ["stats --redis redis://localhost", /--redis needs the name of the inbox's queue/],
    ["stats --postgres --queue bluum", /--postgres needs a URL, or the variable DATABASE_URL/],
    ["stats --sqlite a.db --queue bluum", /--queue does not go with --sqlite/],
    ["stats --redis redis://localhost --queue bluum --table x", /--table does not go with --redis/],
    ["stats --redis http://u:hunter2@localhost --queue bluum", /--redis must be a URL that begins with redis:/],
    ["stats --redis redis://u:12/hunter2@localhost --queue bluum", /percent-encoded/],
    ["stats --sqlite missing.db", /--sqlite missing\.db is not a file/],
    ["parked --sqlite a.db --limit 1001", /from 1 to 1000/],
    ["parked --sqlite a.db --type=", /--type must name an event type/],
    ["redrive --sqlite a.db --yes", /give either keys, --type <type> or --all/],
    ["redrive orders/evt_1 --all --yes --sqlite a.db", /give either keys/],
    ["postgres://u:hunter2@localhost", /unknown command/],
    ["show --sqlite a.db", /missing required argument 'key'/],
  ])("%s is a usage error", async (line, reason) => {
    const { code, out, err } = await ran(["inbox", ...line.split(" ")], fakeTerminal({}));
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(reason);
    expect(err).not.toContain("hunter2");
  });

  it("refuses a wrong cursor", async () => {
    await inbox.add(message("evt_1"), { retentionMs: 60_000 });
    expect(await run("parked --cursor x")).toMatchObject({ code: 2, err: expect.stringContaining("cursor") });
  });

  it("creates no inbox in a database that has none", async () => {
    const path = join(folder(), "other.db");
    new Database(path).exec("CREATE TABLE orders (id)");
    const { code, err } = await runBin(["inbox", "stats", "--sqlite", path]);
    expect(code).toBe(1);
    expect(err).toMatch(/^there is no inbox: the file has no table bluum_webhook_inbox\./);
    expect(new Database(path).prepare("SELECT name FROM sqlite_master").all()).toEqual([{ name: "orders" }]);
  });

  it("says that a file is no database", async () => {
    const path = join(folder(), "notes.txt");
    writeFileSync(path, "not a database\n".repeat(100));
    const { code, err } = await runBin(["inbox", "stats", "--json", "--sqlite", path]);
    expect(code).toBe(1);
    expect(JSON.parse(err)).toEqual({ error: { code: "inbox_failed", message: "--sqlite: file is not a database" } });
  });

  it("reads another table", async () => {
    const database = new Database(file);
    database.exec("PRAGMA synchronous = FULL");
    await park(sqliteInbox(database as unknown as SqliteDatabase, { table: "billing" }), [message("evt_1")]);
    expect((await run("parked --table billing")).out).toContain("orders/evt_1");
  });

  it("works with better-sqlite3 if libsql is not installed", inFull, async ({ skip }) => {
    if (!engines.some(({ name }) => name === "better-sqlite3")) skip();
    await park(inbox, three);
    const cwd = appWith({ "better-sqlite3": "better-sqlite3" });
    expect((await runBin(["inbox", "redrive", "--all", "--yes", "--sqlite", file], { cwd })).out).toBe("3 redriven\n");
  });

  it.each([
    ["--redis redis://u:hunter2@localhost:1", "npm install bullmq ioredis"],
    ["--postgres postgres://u:hunter2@localhost:1", "npm install pg-boss pg"],
  ])("says which driver is missing for %s", async (line, remedy) => {
    const { code, out, err } = await runBin(["inbox", "stats", ...line.split(" "), "--queue", "bluum"], {
      cwd: appWith({}),
    });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(remedy);
    expect(err).not.toContain("hunter2");
  });
});
