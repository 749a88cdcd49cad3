import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type SqliteInbox, sqliteInbox } from "../../src/inbox/sqlite.ts";
import { describeEach, inFull, runs } from "../exhaustive.ts";
import { type Connection, engines } from "../stores/sqlite-engines.ts";
import { Bench, messageOf, rows, TERMS } from "./sqlite-support.ts";

const EMPTY = { waiting: 0, delayed: 0, active: 0 };

describeEach(describe, engines)("processes on the SQLite inbox on $name", (engine) => {
  const children: ChildProcess[] = [];
  let bench: Bench;
  let clockStart: number;
  let connection: Connection;
  let inbox: SqliteInbox;

  beforeEach(() => {
    bench = new Bench(engine);
    clockStart = Date.now();
    // As in the children, a hundred times as fast.
    const now = () => clockStart + (Date.now() - clockStart) * 100;
    connection = bench.open();
    writeFileSync(`${bench.file}.ledger`, "");
    inbox = sqliteInbox(connection, {
      now,
      timeoutMs: 10_000,
      retry: { attempts: 4, backoffMs: 1, maxBackoffMs: 1 },
    });
  });

  afterEach(async () => {
    await Promise.all(children.splice(0).map(kill));
    await bench.close();
  });

  function start(task: string, ...rest: string[]): { child: ChildProcess; lines: string[][] } {
    const args = [
      join(import.meta.dirname, "sqlite-child.mjs"),
      engine.name,
      bench.file,
      `${clockStart}`,
      task,
      ...rest,
    ];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    const lines: string[][] = [];
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) =>
      lines.push(JSON.parse(line)),
    );
    return { child, lines };
  }

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  /** What the children noted, in order. */
  function ledger(): { readonly key: string; readonly what: "start" | "end" }[] {
    const lines = readFileSync(`${bench.file}.ledger`, "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
  }

  it.each(Array.from({ length: runs(2, 20) }, (__, round) => round))(
    "has stored all that it said it had when it is killed, in round %i",
    { ...inFull, timeout: 120_000 },
    async () => {
      const adding = [start("addAll", "x"), start("addAll", "y")];
      await vi.waitFor(() => adding.forEach(({ lines }) => void expect(lines.length).toBeGreaterThan(20)), 60_000);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 50));
      await Promise.all(adding.map(({ child }) => kill(child)));
      const told = adding.flatMap(({ lines }) => lines.map(([key]) => key));
      const stored = rows(connection, "SELECT key FROM bluum_webhook_inbox").map(({ key }) => key);
      const remembered = rows(connection, "SELECT key FROM bluum_webhook_events").map(({ key }) => key);
      expect(told.filter((key) => !stored.includes(key))).toEqual([]);
      expect(remembered.sort()).toEqual([...stored].sort());
      expect(rows(connection, "PRAGMA integrity_check")).toMatchObject([{ integrity_check: "ok" }]);
    },
  );

  it.each([
    ["before", "add", {}],
    ["after", "add", { a: ["waiting", 0] }],
    ["before", "take", { a: ["waiting", 0], b: ["blocked", 0] }],
    ["after", "take", { a: ["active", 1], b: ["blocked", 0] }],
    ["before", "finish", { a: ["active", 1], b: ["blocked", 0] }],
    ["after", "finish", { a: ["done", 1], b: ["active", 1] }],
    ["before", "fail", { a: ["active", 1], b: ["blocked", 0] }],
    ["after", "fail", { a: ["delayed", 1], b: ["blocked", 0] }],
  ] as const)(
    "killed %s the commit of %s, leaves the events so, and the next process runs them",
    async (when, step, left) => {
      const { child } = start("dieAt", step, when);
      await once(child, "exit");
      const found = rows(connection, "SELECT key, state, attempts FROM bluum_webhook_inbox ORDER BY seq");
      // What fails may be taken again in the same commit.
      const states = Object.fromEntries(found.map(({ key, state, attempts }) => [key, [state, attempts]]));
      if (step === "fail" && when === "after") expect(["delayed", "active"]).toContain((states.a as unknown[])[0]);
      else expect(states).toEqual(left);
      const { started } = bench.work(inbox);
      await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject(EMPTY), 10_000);
      const unfinished = found.filter(({ state }) => state !== "done").map(({ key }) => key);
      expect(started).toEqual(unfinished);
    },
    60_000,
  );

  it("loses nothing and keeps the order when workers are killed again and again", {
    ...inFull,
    timeout: 180_000,
  }, async () => {
    const keys = Array.from({ length: runs(10, 100) }, (__, number) => `key${number}`);
    for (const name of ["A", "B", "C"]) {
      await Promise.all(keys.map((key) => inbox.add(messageOf(`${key}.${name}`, { orderingKey: key }), TERMS)));
    }
    for (let round = 0; round < runs(3, 10); round += 1) {
      const workers = [start("work"), start("work")];
      await vi.waitFor(() => workers.forEach(({ lines }) => void expect(lines.length).toBeGreaterThan(0)), 60_000);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
      await Promise.all(workers.map(({ child }) => kill(child)));
    }
    start("work");
    start("work");
    await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject(EMPTY), 60_000);
    const ended = new Set(ledger().flatMap(({ key, what }) => (what === "end" ? [key] : [])));
    const { events } = await inbox.parked();
    // Those whose attempts were all killed are parked, with the reason.
    expect(ended.size + events.filter(({ key }) => !ended.has(key)).length).toBe(3 * keys.length);
    for (const { error } of events) expect(error.message).toMatch(/the worker died|not yet/);
    for (const key of keys) {
      const order = ledger().flatMap((row) =>
        row.what === "start" && row.key.startsWith(`${key}.`) ? row.key.slice(-1) : [],
      );
      expect(order.join("")).toMatch(/^A+B+C+$/);
    }
  });

  it("parks an event that kills its workers, and runs the others", async () => {
    const keys = Array.from({ length: 30 }, (__, number) => `event ${number}`);
    for (const key of [...keys.slice(0, 10), "poison", ...keys.slice(10)]) await inbox.add(messageOf(key), TERMS);
    let parkedKeys: string[] = [];
    for (let round = 0; parkedKeys.length === 0; round += 1) {
      expect(round).toBeLessThan(8);
      const { child, lines } = start("work");
      const isOver = async () =>
        expect(child.signalCode !== null || (await inbox.stats()).parked > 0 || lines.flat().includes("parked")).toBe(
          true,
        );
      await vi.waitFor(isOver, 30_000);
      parkedKeys = (await inbox.parked()).events.map(({ key }) => key);
    }
    await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject(EMPTY), 30_000);
    const { events } = await inbox.parked();
    expect(events).toMatchObject([
      { key: "poison", attempts: 4, error: { message: "the worker died or lost its lock in attempt 4" } },
    ]);
    const ended = new Set(ledger().flatMap(({ key, what }) => (what === "end" ? [key] : [])));
    expect([...ended].sort()).toEqual([...keys].sort());
  }, 180_000);
});
