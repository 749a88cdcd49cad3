import { randomBytes } from "node:crypto";
import PgBoss10 from "pg-boss10";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PgBossInboxOptions, pgBossInbox } from "../../src/inbox/pg-boss.ts";
import { findPostgres } from "../services/postgres.ts";
import { everywhere, type StartedBoss, Subject } from "./pg-boss-scenarios.ts";

const service = await findPostgres();
const url = service?.url ?? "";
const schema = `bluum_test_${randomBytes(8).toString("hex")}`;

describe.skipIf(service === undefined)("pgBossInbox on pg-boss 10", () => {
  const boss = new PgBoss10({ connectionString: url, schema, max: 4 });
  boss.on("error", () => {});
  const started: StartedBoss = { url, boss, schema };

  beforeAll(async () => void (await boss.start()));
  afterAll(async () => {
    const subject = new Subject(started);
    await boss.stop({ graceful: false });
    await subject.sql(`DROP SCHEMA ${schema} CASCADE`);
    await subject.dispose();
    await service?.stop();
  });

  describe.each(Object.entries(everywhere))("%s", (_, scenarios) => {
    for (const [name, run] of Object.entries(scenarios)) it.concurrent(name, () => run(started), 60_000);
  });

  it("says why it keeps no order", async () => {
    const subject = new Subject(started);
    expect(subject.inbox.noOrder).toContain("12.38");
    await subject.dispose();
  });

  it("fails where pg-boss is not started", async () => {
    const subject = new Subject(started);
    const idle = new PgBoss10({ connectionString: url, schema });
    await expect(subject.another({}, idle).stats()).rejects.toMatchObject({ code: "configuration_invalid" });
    await subject.dispose();
  });

  it.each<[string, Partial<PgBossInboxOptions>]>([
    ["queue", { queue: "with space" }],
    ["schema", { schema: "No" }],
    ["lockMs", { lockMs: 10 }],
    ["retry.attempts", { retry: { attempts: 0 } }],
    ["pool", { pool: {} as never }],
    ["colour", { colour: "red" } as never],
  ])("refuses a wrong %s", (option, wrong) => {
    const subject = new Subject(started);
    const { pool, queue } = subject;
    expect(() => pgBossInbox(boss, { pool, queue, ...wrong })).toThrow(option);
  });
});
