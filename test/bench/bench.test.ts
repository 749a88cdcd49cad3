import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

interface Row {
  readonly subject: string;
  readonly group: string;
  readonly name: string;
  readonly figures?: Readonly<Record<string, number>>;
  readonly goal?: { readonly figure: string };
  readonly skipped?: string;
}

const run = promisify(execFile);
const bench = (...args: string[]) => run(process.execPath, ["bench/bench.mjs", ...args]);

const OTHER_SCHEMES = ["hmacSignature", "timestampedSignature", "standardWebhooksSignature"];
const RIVALS = ["octokit webhooks-methods", "stripe constructEvent", "standardwebhooks", "svix", "tern"];
const BY_HAND = ["by hand", "by hand again (A/A)", "answers 204, reads nothing"];
const ROUTES = {
  Express: [...BY_HAND, "ours: middleware", "ours: handler", "stripe constructEvent", "octokit", "svix", "tern"],
  Koa: [...BY_HAND, "ours: middleware", "ours: handler"],
  "Hono on Node": [...BY_HAND, "ours: middleware", "ours: handler", "stripe constructEvent", "octokit"],
  "plain node": [...BY_HAND, "by hand, with the answer that ours gives", "ours: handler", "octokit"],
};

// So few repetitions that the figures say nothing: what counts here is that all of it runs and reports. No time is asserted.
describe("the benchmarks", () => {
  const out = mkdtempSync(join(tmpdir(), "bluum-bench-"));
  let rows: Row[];

  beforeAll(async () => {
    // Without the stores: beside other tests their servers are too busy for pgbench, which gives up at the first time-out.
    const { stdout } = await bench(
      "--tiny",
      "--json",
      "--only",
      "verify,receive,adapters,inbox,scale,start",
      "--out",
      out,
    );
    rows = JSON.parse(stdout).rows;
  }, 120_000);
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  const names = (group: string) => rows.filter((row) => row.group === group).map(({ name }) => name);

  it("compare verify and parse to the floor, each scheme and each rival, for every size and text", () => {
    const floors = ["floor", "floor again (A/A)"];
    for (const size of ["300 B", "2 KB", "64 KB", "1 MB"]) {
      for (const text of ["ASCII", "not ASCII"]) {
        const group = `verify + parse, ${size}, ${text}`;
        expect(names(group)).toEqual([...floors, "ours: bluumSignature", ...RIVALS, "the fastest rival, to ours"]);
        for (const scheme of OTHER_SCHEMES)
          expect(names(`${group}, ${scheme}`)).toEqual([...floors, `ours: ${scheme}`]);
      }
    }
  });

  it("compare the whole receive, and the paths on which a delivery is known or refused", () => {
    expect(names("whole receive, 2 KB")).toContain("ours: receive + settle");
    expect(names("other paths, 2 KB, to the accepted one")).toEqual(
      expect.arrayContaining(["accepted again (A/A)", "duplicate", "forged", "unsigned"]),
    );
    expect(names("a forged body of 1 MB")).toContain("ours: forged");
  });

  it("find that an unsigned delivery costs no reading of its body", () => {
    const unsigned = rows.find(({ name }) => name === "unsigned: bodies read");
    expect(unsigned?.figures).toEqual({ count: 0 });
  });

  it("compare every route of every framework, with few and with many connections", () => {
    for (const [framework, routes] of Object.entries(ROUTES)) {
      for (const load of ["10 connections", "50 connections", "10 connections, the load kept awake"]) {
        expect(names(`${framework}, 2 KB, ${load}`)).toEqual(routes);
      }
    }
  });

  it("show how the cost of an event grows, with a plot of each", () => {
    const groups = new Set(rows.filter(({ subject }) => subject === "scale").map(({ group }) => group));
    expect(groups.size).toBe(5);
    expect(readdirSync(out)).toEqual(expect.arrayContaining(["latest.json", "tables.md", "remembered-ids-memory.svg"]));
    for (const file of readdirSync(out).filter((name) => name.endsWith(".svg"))) {
      expect(readFileSync(join(out, file), "utf8")).not.toMatch(/NaN|Infinity|undefined/);
    }
  });

  it("compare an inbox on each engine to the same by hand, and show how it grows", () => {
    const rowsOf = (start: string) => rows.filter(({ group }) => group.startsWith(start));
    for (const start of [
      "accept on SQLite",
      "accept on PostgreSQL",
      "accept on Redis",
      "acknowledgement",
      "burst",
      "a worker",
      "take",
    ])
      expect(rowsOf(`inbox, ${start}`)).not.toEqual([]);
    const burst = rowsOf("inbox, burst").filter(({ figures }) => figures?.count !== undefined);
    expect(burst.map(({ figures }) => figures?.count)).toEqual([0, 0]);
    expect(readdirSync(out)).toEqual(expect.arrayContaining(["inbox-waiting-accept.svg", "inbox-waiting-take.svg"]));
  });

  it("compare what importing a door adds to importing its framework", () => {
    const doors = ["express", "koa", "hono"].map((name) => `${name} and bluum-webhooks/${name}`);
    expect(names("cold import")).toEqual(expect.arrayContaining(doors));
  });

  it("give every row figures, or the reason why there are none", () => {
    expect(rows.filter(({ figures, skipped }) => figures === undefined && !skipped)).toEqual([]);
    const odd = rows.filter(({ figures = {} }) => Object.values(figures).some((figure) => !Number.isFinite(figure)));
    expect(odd).toEqual([]);
  });

  it("judge only figures that are there", () => {
    const judged = rows.filter(({ goal, skipped }) => goal !== undefined && skipped === undefined);
    expect(judged.length).toBeGreaterThan(40);
    expect(judged.filter(({ goal, figures }) => figures?.[goal?.figure ?? ""] === undefined)).toEqual([]);
  });

  it("measure only what is asked for, as tables with the goals beside the ratios", async () => {
    const { stdout } = await bench("--tiny", "--only", "start");
    expect(stdout).toContain("cold import");
    expect(stdout).toContain("added ms <= 15");
    expect(stdout).not.toContain("verify + parse");
  });

  it("refuse a subject that there is none", async () => {
    await expect(bench("--only", "speed")).rejects.toThrow("--only speed: there are verify");
  });
});
