import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { sampleEvent, signDelivery } from "../../src/testing/index.ts";
import { findPostgres, type OwnSchema, ownSchema } from "../services/postgres.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const EXAMPLE = `${ROOT}examples/postgres-exactly-once`;
const folder = `${ROOT}.tmp/example-postgres-exactly-once-${process.pid}`;
const secret = "the secret of the ledger's endpoint";

const service = await findPostgres();

/** The running program. */
interface Ledger {
  readonly child: ChildProcess;
  readonly url: string;
  /** Its output. */
  output(): string;
  /** Kills it as `kill -9` does, and waits for its end. */
  kill(): Promise<void>;
}

describe.skipIf(!service)("examples/postgres-exactly-once", () => {
  let schema: OwnSchema;
  let env: NodeJS.ProcessEnv;
  let database: pg.Pool;
  const running = new Set<Ledger>();

  beforeAll(async () => {
    schema = await ownSchema(service?.url ?? "");
    const url = new URL(service?.url ?? "");
    url.searchParams.set("options", `-c search_path=${schema.name}`);
    env = { ...process.env, DATABASE_URL: url.href, BLUUM_WEBHOOK_SECRET: secret, PORT: "0" };
    database = new pg.Pool({ connectionString: url.href });
    install();
    for (const _again of [1, 2]) execFileSync(process.execPath, ["setup.mjs"], { cwd: folder, env });
  });

  afterEach(async () => {
    for (const ledger of running) await ledger.kill();
  });

  afterAll(async () => {
    await database?.end();
    await schema?.drop();
    await service?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(): Promise<Ledger> {
    const child = spawn(process.execPath, ["app.mjs"], { cwd: folder, env });
    let output = "";
    const port = new Promise<string>((resolve, reject) => {
      const read = (text: Buffer) => {
        output += text;
        const [, said] = /listening on (\d+)\n/.exec(output) ?? [];
        if (said !== undefined) resolve(said);
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.once("exit", () => reject(new Error(`the example ended before it listened:\n${output}`)));
    });
    const gone = once(child, "close");
    const ledger: Ledger = {
      child,
      url: `http://127.0.0.1:${await port}/webhooks/bluum`,
      output: () => output,
      async kill() {
        running.delete(ledger);
        child.kill("SIGKILL");
        await gone;
      },
    };
    running.add(ledger);
    return ledger;
  }

  function deposit(id: string, amount = "1234567890123456.78") {
    return signDelivery({
      secret,
      event: sampleEvent("transfer.deposit.completed", { id: `evt_${id}`, data: { id, amount } }),
    });
  }

  async function entriesOf(id: string): Promise<string[]> {
    const { rows } = await database.query("SELECT amount::text FROM ledger WHERE deposit_id = $1", [id]);
    return rows.map(({ amount }) => amount);
  }

  it("books a deposit once when many deliveries go to two processes", async () => {
    const ledgers = [await start(), await start()];
    const delivery = deposit("dep_many");
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, place) => fetch((ledgers[place % 2] as Ledger).url, delivery)),
    );
    for (const { status } of answers) expect([200, 503]).toContain(status);
    const bodies = await Promise.all(answers.map(async (answer) => answer.json()));
    expect(bodies.filter((body) => body.received && !body.duplicate)).toHaveLength(1);
    expect(await entriesOf("dep_many")).toEqual(["1234567890123456.78"]);
    for (const ledger of ledgers) {
      expect(await (await fetch(ledger.url, delivery)).json()).toEqual({ received: true, duplicate: true });
    }
  });

  it("books nothing when the entry fails, and books at the retry", async () => {
    const ledger = await start();
    const delivery = deposit("dep_refused");
    await database.query("ALTER TABLE ledger RENAME TO ledger_away");
    expect((await fetch(ledger.url, delivery)).status).toBe(500);
    await database.query("ALTER TABLE ledger_away RENAME TO ledger");
    expect((await fetch(ledger.url, delivery)).status).toBe(200);
    expect(await entriesOf("dep_refused")).toHaveLength(1);
  });

  it("books a deposit once when the process is killed between COMMIT and the answer", async () => {
    const ledger = await start();
    const delivery = deposit("dep_killed");
    const [first, second] = [await database.connect(), await database.connect()];

    // The transaction waits for the ledger, with the completion written but not committed.
    await first.query("BEGIN; LOCK TABLE ledger");
    const answer = fetch(ledger.url, delivery).then(
      ({ status }) => status,
      () => "none",
    );
    await waitingFor("ledger");
    // Next in the queue for the events, before the queries of the process between COMMIT and its answer.
    await second.query("BEGIN");
    const locked = second.query("LOCK TABLE bluum_webhook_events");
    await waitingFor("bluum_webhook_events");

    await first.query("COMMIT");
    await locked;
    expect(await entriesOf("dep_killed")).toHaveLength(1);
    await ledger.kill();
    expect(await answer).toBe("none");
    await second.query("COMMIT");
    first.release();
    second.release();

    const restarted = await start();
    const retries = await Promise.all(Array.from({ length: 10 }, () => fetch(restarted.url, delivery)));
    for (const retry of retries) expect(await retry.json()).toEqual({ received: true, duplicate: true });
    expect(await entriesOf("dep_killed")).toHaveLength(1);
  });

  it("exits in order when it is asked to", async () => {
    const { child, output } = await start();
    const gone = once(child, "close");
    child.kill("SIGTERM");
    expect(await gone).toEqual([0, null]);
    expect(output()).toMatch(/closed\n$/);
  });

  it("lists exactly its imports in its package.json", () => {
    const text = ["app.mjs", "pool.mjs", "setup.mjs"]
      .map((file) => readFileSync(`${EXAMPLE}/${file}`, "utf8"))
      .join("\n");
    const imported = [...text.matchAll(/from "([^."/][^"/]*)/g)].map(([, dependency]) => dependency);
    const { dependencies } = JSON.parse(readFileSync(`${EXAMPLE}/package.json`, "utf8"));
    expect(Object.keys(dependencies).sort()).toEqual([...new Set(imported)].sort());
  });

  async function waitingFor(table: string): Promise<void> {
    const waiting = "SELECT FROM pg_locks WHERE relation = $1::regclass AND NOT granted";
    await expect.poll(async () => (await database.query(waiting, [table])).rowCount).toBeGreaterThan(0);
  }
});

/** A copy of the example with the package; its other dependencies are found in the root's node_modules. */
function install(): void {
  if (!existsSync(`${ROOT}dist/src/stores/postgres.js`)) throw new Error("run `npm run build` first");
  mkdirSync(`${folder}/node_modules`, { recursive: true });
  cpSync(EXAMPLE, folder, { recursive: true });
  symlinkSync(ROOT, `${folder}/node_modules/bluum-webhooks`, "dir");
}
