import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { sampleEvent, signDelivery } from "../../src/testing/index.ts";
import { ROOT } from "../docs/markdown.ts";
import { exhaustive, inFull } from "../exhaustive.ts";
import { freePort, listen } from "../services/ports.ts";
import { findPostgres, type OwnDatabase, ownDatabase } from "../services/postgres.ts";
import { installed, type Running, type RunningExample, startProgram } from "./programs.ts";

const secret = "the secret of the production example";
const oldSecret = "the secret that is being replaced";
const service = await findPostgres();
/** For what takes its time on a busy machine. */
const PATIENCE = { timeout: 15_000 };

describe.skipIf(!service)("examples/production", { timeout: 60_000 }, () => {
  let database: OwnDatabase;
  let pool: pg.Pool;
  let folder: string;
  const running = new Set<Running>();

  beforeAll(async () => {
    if (!existsSync(`${ROOT}dist/src/inbox/pg-boss.js`)) throw new Error("dist is missing: run `npm run build` first");
    database = await ownDatabase(service?.url ?? "");
    pool = new pg.Pool({ connectionString: database.url });
    folder = installed("production");
    symlinkSync(`${ROOT}node_modules/pg-boss10`, `${folder}/node_modules/pg-boss`, "dir");
    for (const _again of [1, 2]) {
      expect(await finished("migrate.mjs")).toMatch(/"msg":"migrated"\}\n$/);
    }
  }, 60_000);

  afterEach(async () => {
    for (const program of running) await program.kill();
    running.clear();
    await pool.query("TRUNCATE ledger");
  });

  afterAll(async () => {
    await pool?.end();
    await database?.drop();
    await service?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  async function environment(): Promise<Record<string, string>> {
    return {
      DATABASE_URL: database.url,
      BLUUM_WEBHOOK_SECRET: `${secret},${oldSecret}`,
      OTEL_EXPORTER_PROMETHEUS_PORT: String(await freePort()),
      PORT: "0",
      RETRY_ATTEMPTS: "3",
      RETRY_BACKOFF_MS: "10",
      LOCK_MS: "1000",
      DRAIN_MS: "0",
    };
  }

  /** Runs a program of the example to its end, and gives its output. */
  async function finished(program: string): Promise<string> {
    const env = { ...process.env, ...(await environment()) };
    return (await promisify(execFile)(process.execPath, [program], { cwd: folder, env })).stdout;
  }

  async function startApp(settings: Record<string, string> = {}): Promise<RunningExample & { metricsUrl: string }> {
    const env = { ...(await environment()), ...settings };
    const program = startProgram(folder, "app.mjs", env);
    running.add(program);
    const [, port] = await program.says(/"listening on (\d+)"/);
    const metricsUrl = `http://127.0.0.1:${env.OTEL_EXPORTER_PROMETHEUS_PORT}/metrics`;
    return { ...program, url: `http://127.0.0.1:${port}`, metricsUrl };
  }

  async function startWorker(): Promise<Running> {
    const program = startProgram(folder, "worker.mjs", await environment());
    running.add(program);
    await program.says(/"waiting for events"/);
    return program;
  }

  async function entriesOf(id: string): Promise<string[]> {
    const { rows } = await pool.query("SELECT amount::text FROM ledger WHERE deposit_id = $1", [id]);
    return rows.map(({ amount }) => amount);
  }

  async function untilBooked(id: string): Promise<void> {
    await expect.poll(() => entriesOf(id), PATIENCE).toEqual(["1234567890123456.78"]);
  }

  /** Runs the command line on the inbox, and gives its output. */
  async function inbox(...args: string[]): Promise<string> {
    const command = [`${ROOT}dist/src/cli/bin.js`, "inbox", ...args, "--queue", "orders-api", "--postgres"];
    const { stdout } = await promisify(execFile)(process.execPath, [...command, database.url], { cwd: folder });
    return stdout;
  }

  it("answers 200, and books a deposit once that is delivered five times", async () => {
    const app = await startApp();
    const delivery = deposit("dep_five");
    expect(await told(app, delivery)).toEqual([200, { received: true }]);
    for (const _copy of [2, 3]) expect(await told(app, delivery)).toEqual([200, { received: true, duplicate: true }]);
    await untilBooked("dep_five");
    for (const _copy of [4, 5]) expect(await told(app, delivery)).toEqual([200, { received: true, duplicate: true }]);
    expect(await entriesOf("dep_five")).toHaveLength(1);
    expect((await told(app, deposit("dep_forged", "a secret of another sender")))[0]).toBe(401);
    // During a rotation the old secret counts, too.
    expect((await told(app, deposit("dep_rotated", oldSecret)))[0]).toBe(200);
    await untilBooked("dep_rotated");
  });

  it("books a deposit once whose process is killed with -9 in the handler", async () => {
    const app = await startApp();
    const delivery = deposit("dep_killed");
    const client = await pool.connect();
    await client.query("BEGIN; LOCK TABLE ledger");
    expect(await told(app, delivery)).toEqual([200, { received: true }]);
    // The handler's transaction holds the completion, and waits for the ledger.
    const waiting = "SELECT FROM pg_locks WHERE relation = 'ledger'::regclass AND NOT granted";
    await expect.poll(async () => (await pool.query(waiting)).rowCount, PATIENCE).toBe(1);
    await app.kill();
    await client.query("COMMIT");
    client.release();
    expect(await entriesOf("dep_killed")).toEqual([]);

    const restarted = await startApp();
    await untilBooked("dep_killed");
    expect(await told(restarted, delivery)).toEqual([200, { received: true, duplicate: true }]);
    expect((await restarted.stop()).output.match(/"booked"/g)).toHaveLength(1);
    expect(await entriesOf("dep_killed")).toHaveLength(1);
  });

  it("retries and parks a deposit that fails, and books it when it is redriven", async () => {
    const app = await startApp();
    await pool.query("ALTER TABLE ledger RENAME TO ledger_away");
    expect(await told(app, deposit("dep_parked"))).toEqual([200, { received: true }]);
    await app.says(/parked: event .*evt_dep_parked.* failed and waits to be redriven \(attempts: 3\)/);
    await pool.query("ALTER TABLE ledger_away RENAME TO ledger");
    expect(await inbox("parked")).toMatch(/evt_dep_parked[\s\S]*"?ledger"? does not exist/);
    await inbox("redrive", "--all", "--yes");
    await untilBooked("dep_parked");
    expect(JSON.parse(await inbox("stats", "--json"))).toMatchObject({ waiting: 0, delayed: 0, parked: 0 });
  });

  it("is unready at SIGTERM, still takes deliveries, and exits with 0 once they are processed", async () => {
    const app = await startApp({ DRAIN_MS: "700" });
    for (const path of ["/health", "/ready"]) expect((await fetch(app.url + path)).status).toBe(200);
    const ended = app.stop();
    await vi.waitFor(async () => expect((await fetch(`${app.url}/ready`)).status).toBe(503), 600);
    expect((await fetch(`${app.url}/health`)).status).toBe(200);
    expect(await told(app, deposit("dep_late"))).toEqual([200, { received: true }]);
    const { code, output } = await ended;
    expect(code).toBe(0);
    expect(output).toMatch(/"msg":"SIGTERM: closing"\}\n(.*\n)*.*"msg":"closed"\}\n$/);
    for (const line of output.trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("level", 30);

    await startWorker();
    await untilBooked("dep_late");
  });

  it.runIf(exhaustive)(
    "exits with 0 at SIGTERM although a handler hangs; another process books it",
    inFull,
    async () => {
      const app = await startApp({ CLOSE_MS: "100" });
      const client = await pool.connect();
      await client.query("BEGIN; LOCK TABLE ledger");
      expect(await told(app, deposit("dep_hung"))).toEqual([200, { received: true }]);
      const waiting = "SELECT FROM pg_locks WHERE relation = 'ledger'::regclass AND NOT granted";
      await expect.poll(async () => (await pool.query(waiting)).rowCount, PATIENCE).toBe(1);
      expect((await app.stop()).code).toBe(0);
      await client.query("ROLLBACK");
      client.release();
      await startWorker();
      await untilBooked("dep_hung");
    },
  );

  it("runs its handlers in a process of their own where the app has no worker, and is healthy", async () => {
    const app = await startApp({ WORKER_IN_APP: "false" });
    const [, command = "[]"] =
      /HEALTHCHECK[\s\S]*?CMD (\[.*\])/.exec(readFileSync(`${folder}/Dockerfile`, "utf8")) ?? [];
    const [program = "", ...args] = JSON.parse(command) as string[];
    const healthCheck = (port: string) => promisify(execFile)(program, args, { env: { ...process.env, PORT: port } });
    await healthCheck(new URL(app.url).port);
    await expect(healthCheck(String(await freePort()))).rejects.toMatchObject({ code: 1 });
    expect(await told(app, deposit("dep_apart"))).toEqual([200, { received: true }]);
    const worker = await startWorker();
    await untilBooked("dep_apart");
    for (const program of [worker, app]) expect((await program.stop()).code).toBe(0);
  });

  it("exposes metrics, and sends its spans before it exits", async () => {
    const spans: string[] = [];
    const [collector, port] = await listen(
      createServer(async (req, res) => {
        spans.push(req.url ?? "", Buffer.concat(await req.toArray()).toString("latin1"));
        res.setHeader("content-type", "application/json").end("{}");
      }),
    );
    try {
      const app = await startApp({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
      expect((await told(app, deposit("dep_measured")))[0]).toBe(200);
      await untilBooked("dep_measured");
      const metrics = async () => (await fetch(app.metricsUrl)).text();
      await expect.poll(metrics, PATIENCE).toMatch(/^messaging_process_duration_count\{.*"orders-api".*\} 1$/m);
      expect(await metrics()).toMatch(/^bluum_webhooks_deliveries_total\{.*"orders-api",outcome="accepted".*\} 1$/m);
      expect(await metrics()).toMatch(/^bluum_webhooks_inbox_events\{.*state="parked".*\} 0$/m);
      expect((await app.stop()).code).toBe(0);
      expect(spans[0]).toBe("/v1/traces");
      for (const name of ["orders-api", "send orders-api", "process orders-api"]) expect(spans.join()).toContain(name);
    } finally {
      collector.close();
    }
  });
});

function deposit(id: string, by: string = secret) {
  const data = { id, amount: "1234567890123456.78" };
  return signDelivery({ secret: by, event: sampleEvent("transfer.deposit.completed", { id: `evt_${id}`, data }) });
}

async function told({ url }: RunningExample, delivery: ReturnType<typeof deposit>): Promise<[number, object]> {
  const response = await fetch(`${url}/webhooks/bluum`, delivery);
  return [response.status, (await response.json()) as object];
}
