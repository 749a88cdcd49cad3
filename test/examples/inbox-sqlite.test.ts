import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { sampleEvent, signDelivery } from "../../src/testing/index.ts";
import { exampleContract } from "./contract.ts";
import { installed, type RunningExample, startApp } from "./programs.ts";

const secret = "the secret of the inbox's endpoint";
/** How many events the example works on at once. */
const CONCURRENCY = 10;

exampleContract("inbox-sqlite");

describe("examples/inbox-sqlite, killed and started again", { timeout: 60_000 }, () => {
  const files = mkdtempSync(join(tmpdir(), "inbox-sqlite-"));
  const running = new Set<RunningExample>();
  let folder: string;
  let database: string;
  let count = 0;

  beforeAll(() => {
    folder = installed("inbox-sqlite", "-killed");
  });

  afterEach(async () => {
    for (const app of running) await app.kill();
    running.clear();
  });

  afterAll(() => {
    for (const path of [folder, files]) rmSync(path, { recursive: true, force: true });
  });

  /** Starts the app, on a new file or on the one before. */
  async function start(workMs: number, file: "new" | "same"): Promise<RunningExample> {
    if (file === "new") database = join(files, `${++count}.db`);
    const app = await startApp(folder, {
      BLUUM_WEBHOOK_SECRET: secret,
      WEBHOOKS_DB: database,
      WORK_MS: String(workMs),
      LOCK_MS: "1000",
    });
    running.add(app);
    return app;
  }

  it("processes an event whose handler was running", async () => {
    const killed = await start(60_000, "new");
    const delivery = signed("ord_running");
    expect(await told(killed, delivery)).toEqual([200, { received: true }]);
    await killed.says(/^working on ord_running, attempt 1$/m);
    await killed.kill();

    const app = await start(0, "same");
    expect(await told(app, delivery)).toEqual([200, { received: true, duplicate: true }]);
    await app.says(/^working on ord_running, attempt 2$/m);
    await app.says(/^ord_running filled at 212\.50$/m);
    const { output } = await app.stop();
    expect(output.match(/filled/g)).toHaveLength(1);
  });

  it("processes an event whose handler had not begun", async () => {
    const killed = await start(60_000, "new");
    const ids = Array.from({ length: CONCURRENCY }, (_, place) => `ord_${place}.`);
    for (const id of [...ids, "ord_waiting"]) {
      expect(await told(killed, signed(id))).toEqual([200, { received: true }]);
    }
    for (const id of ids) await killed.says(new RegExp(`^working on ${id}`, "m"));
    const { output } = await killed.kill();
    expect(output).not.toContain("ord_waiting");

    const app = await start(0, "same");
    await app.says(/^working on ord_waiting, attempt 1$/m);
    for (const id of [...ids, "ord_waiting"]) await app.says(new RegExp(`^${id} filled`, "m"));
    const { output: whole } = await app.stop();
    expect(whole.match(/filled/g)).toHaveLength(CONCURRENCY + 1);
  });

  it("does not process an event again whose handler had succeeded", async () => {
    const app = await start(0, "new");
    const delivery = signed("ord_done");
    await told(app, delivery);
    await app.says(/^ord_done filled/m);
    expect((await app.stop()).code).toBe(0);

    const again = await start(0, "same");
    expect(await told(again, delivery)).toEqual([200, { received: true, duplicate: true }]);
    await told(again, signed("ord_next"));
    await again.says(/^ord_next filled/m);
    expect((await again.stop()).output).not.toContain("ord_done");
  });

  it("closes cleanly on SIGTERM, after the handler at work", async () => {
    const app = await start(500, "new");
    await told(app, signed("ord_last"));
    await app.says(/^working on ord_last/m);
    const { code, output } = await app.stop();
    expect(code).toBe(0);
    expect(output).toMatch(/ord_last filled at 212\.50\nclosed\n$/);
  });
});

function signed(id: string) {
  return signDelivery({ secret, event: sampleEvent("order.filled", { data: { id, average_price: "212.50" } }) });
}

async function told({ url }: RunningExample, delivery: ReturnType<typeof signed>) {
  const response = await fetch(`${url}/webhooks/bluum`, delivery);
  return [response.status, await response.json()] as const;
}
