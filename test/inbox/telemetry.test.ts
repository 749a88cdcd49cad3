import { randomBytes } from "node:crypto";
import { trace } from "@opentelemetry/api";
import PgBoss10 from "pg-boss10";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Inbox } from "../../src/index.ts";
import { METRICS } from "../../src/telemetry/names.ts";
import { openTelemetry } from "../../src/telemetry/opentelemetry.ts";
import { anEvent, bench, signed } from "../pipeline/receiving.ts";
import { findPostgres } from "../services/postgres.ts";
import { findRedis, type RedisService } from "../services/redis.ts";
import { engines } from "../stores/sqlite-engines.ts";
import { makeSdk, type Sdk, startGlobally, stopGlobally } from "../telemetry/sdk.ts";
import { afterwards, freshInbox, PATIENCE } from "./bullmq-setup.ts";
import { Subject } from "./pg-boss-scenarios.ts";
import { Bench } from "./sqlite-support.ts";

const redis = await findRedis();
const postgres = await findPostgres();
afterAll(async () => {
  await redis?.stop();
  await postgres?.stop();
});

const QUICK = { retry: { attempts: 3, backoffMs: 1, maxBackoffMs: 1 } };

/** Makes an inbox on each engine; what it leaves behind goes after the test. */
const ENGINES: [string, boolean, () => Promise<Inbox>][] = [
  [
    "sqlite",
    true,
    async () => {
      const [engine] = engines;
      if (engine === undefined) throw new Error("no driver of SQLite is installed");
      const made = new Bench(engine);
      afterwards(() => made.close());
      return made.inbox(QUICK);
    },
  ],
  ["bullmq", redis !== undefined, async () => freshInbox("bullmq 6", redis as RedisService)],
  [
    "pg-boss",
    postgres !== undefined,
    async () => {
      const url = postgres?.url ?? "";
      const schema = `bluum_test_${randomBytes(8).toString("hex")}`;
      const boss = new PgBoss10({ connectionString: url, schema, max: 4 });
      boss.on("error", () => {});
      await boss.start();
      const subject = new Subject({ url, boss, schema });
      afterwards(async () => {
        await boss.stop({ graceful: false });
        await subject.sql(`DROP SCHEMA ${schema} CASCADE`);
        await subject.dispose();
      });
      return subject.inbox;
    },
  ],
];

let sdk: Sdk;
beforeEach(() => {
  sdk = makeSdk();
  startGlobally(sdk);
});
afterEach(stopGlobally);

describe.each(ENGINES)("OpenTelemetry behind an inbox of %s", (name, available, make) => {
  it.skipIf(!available)(
    "links each run of a handler to the span that stored the event, and measures the inbox",
    async () => {
      const inbox = await make();
      const { receiver } = bench({ telemetry: openTelemetry(), inbox, namespace: "orders-api", logger: false });
      afterwards(() => receiver.close({ timeoutMs: 5_000 }));
      const inside: unknown[] = [];
      receiver.on("order.filled", async (_event, { attempt }) => {
        await Promise.resolve();
        inside.push(trace.getActiveSpan()?.spanContext().spanId);
        if (attempt.number === 1) throw new Error("not yet");
      });
      const receive = () =>
        trace.getTracer("test").startActiveSpan("request", async (request) => {
          expect(await receiver.handle(signed(anEvent()))).toMatchObject({ status: 200 });
          request.end();
        });
      await receive();
      const events = await sdk.collect(METRICS.inboxEvents.name);
      expect(events).toContainEqual({
        name: METRICS.inboxEvents.name,
        attributes: { "messaging.destination.name": "orders-api", engine: name, state: "waiting" },
        value: 1,
      });

      receiver.work({ pollMs: 50 });
      await vi.waitFor(() => expect(sdk.named("process orders-api")).toHaveLength(2), PATIENCE);
      // A worker that waits for events is woken by a request, and must not run in its context.
      await receive();
      await vi.waitFor(() => expect(sdk.named("process orders-api")).toHaveLength(4), PATIENCE);

      const sends = sdk.named("send orders-api").map((span) => span.spanContext());
      const runs = sdk.named("process orders-api");
      expect(runs.map((span) => span.links.map(({ context }) => context.spanId))).toEqual(
        [0, 0, 1, 1].map((nth) => [sends[nth]?.spanId]),
      );
      expect(runs.map((span) => span.attributes["bluum_webhooks.attempt"])).toEqual([1, 2, 1, 2]);
      expect(runs.map((span) => span.attributes["error.type"])).toEqual([
        "handler_failed",
        undefined,
        "handler_failed",
        undefined,
      ]);
      expect(runs.map((span) => span.parentSpanContext)).toEqual([undefined, undefined, undefined, undefined]);
      expect(inside).toEqual(runs.map((span) => span.spanContext().spanId));
    },
    60_000,
  );
});
