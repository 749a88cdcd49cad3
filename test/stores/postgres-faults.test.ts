import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { createReceiver } from "../../src/pipeline/receiver.ts";
import { timedStore } from "../../src/pipeline/store-timeouts.ts";
import { inTransaction } from "../../src/stores/postgres/transaction.ts";
import {
  type PostgresClient,
  type PostgresStore,
  type PostgresStoreOptions,
  postgresStore,
} from "../../src/stores/postgres.ts";
import { signDelivery } from "../../src/testing/sign.ts";
import { gate } from "../pipeline/receiving.ts";
import { type FlakyProxy, flakyProxy } from "../services/flaky-proxy.ts";
import { canStartPostgres, findPostgres, type PrivatePostgres, startPostgres } from "../services/postgres.ts";
import { openPool, openPostgresJs, storeInSchema } from "./postgres-subjects.ts";

const LEASE_MS = 600_000;
const RETENTION_MS = 7 * 24 * 3_600_000;
const TIMEOUT_MS = 300;
const SECRET = "a secret of enough bytes";

const service = await findPostgres();
const url = service?.url ?? "";
const made: { dispose(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const one of made.splice(0).reverse()) await one.dispose();
});
afterAll(() => service?.stop());

function pool(config?: Parameters<typeof openPool>[1], at = url) {
  const opened = openPool(at, config);
  made.push({ dispose: () => opened.close() });
  return opened.client;
}

/** A store through a healthy pool, with its table. */
async function healthy(options?: PostgresStoreOptions, at = url) {
  const subject = await storeInSchema(at, pool({}, at), options);
  made.push(subject);
  return subject;
}

const by = (token: string) => ({ token, leaseMs: LEASE_MS, retentionMs: RETENTION_MS });

function stranger(store: PostgresStore, key = "event") {
  return store.claim(key, by(randomUUID()));
}

function verbsOf(store: PostgresStore): Promise<unknown>[] {
  const mine = by("mine");
  return [
    store.claim("all verbs", mine),
    store.renew("all verbs", mine),
    store.complete("all verbs", mine),
    store.release("all verbs", mine),
    store.forget("all verbs"),
  ];
}

/** Insists that every verb rejects as a store failure, and soon. */
async function allFail(store: PostgresStore, withinMs: number): Promise<void> {
  const before = performance.now();
  for (const { status, ...result } of await Promise.allSettled(verbsOf(store))) {
    expect(status).toBe("rejected");
    expect(result).toMatchObject({ reason: { name: "WebhookError", code: "store_unavailable" } });
  }
  expect(performance.now() - before).toBeLessThan(withinMs);
}

describe.skipIf(!service)("a pool without a free connection", () => {
  async function exhausted() {
    const subject = await healthy();
    const client = pool({ max: 1 });
    const taken = await client.connect();
    return {
      ...subject,
      slow: subject.another(client, { timeoutMs: TIMEOUT_MS, warn: false }),
      free: () => taken.release(),
    };
  }

  it("fails every verb in time", async () => {
    const { slow, free } = await exhausted();
    await allFail(slow, 2_000);
    free();
  });

  it("releases a claim that is written late, when a connection comes free", async () => {
    const { slow, free, store } = await exhausted();
    const late = timedStore(slow).claim("event", by("late"));
    await expect(late).rejects.toThrow(`no answer within ${TIMEOUT_MS} ms`);
    free();
    // The late claim was written and released once the pool answers what was asked after it.
    await expect.poll(() => stranger(slow)).toMatchObject({ status: "claimed" });
    expect(await stranger(store)).toMatchObject({ status: "in_flight" });
  });

  it("is sent no more than 1,000 claims, and serves again when a connection comes free", async () => {
    const { slow, free } = await exhausted();
    const receiver = createReceiver({ secret: SECRET, store: slow, namespace: "orders", logger: false });
    receiver.on("*", () => {});
    const { headers, body } = signDelivery({ secret: SECRET, event: { id: "evt_1", event: "order.filled", data: {} } });
    const captured = { method: "POST", headers, body: Buffer.from(body) };
    for (let wave = 0; wave < 5; wave += 1) {
      const replies = await Promise.all(Array.from({ length: 1_000 }, () => receiver.handle(captured)));
      expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([503]));
    }
    // A thousand claims and the release of each.
    expect(slow.unanswered?.()).toBe(2_000);
    free();
    await expect.poll(async () => (await receiver.handle(captured)).status, { timeout: 10_000 }).toBe(200);
    expect(slow.unanswered?.()).toBe(0);
  });
});

describe.skipIf(!service)("handlers that hold every client of a pool of two for longer than the lease", () => {
  const LEASE = 1_000;

  /** Two events at work, each of whose handlers holds a client of the pool until told otherwise. */
  async function holding(store: PostgresStore, app: ReturnType<typeof pool>) {
    const receiver = createReceiver({ secret: SECRET, store, namespace: "orders", leaseMs: LEASE, logger: false });
    const [done, both] = [gate(), gate()];
    let held = 0;
    receiver.on("*", async () => {
      const client = await app.connect();
      held += 1;
      if (held === 2) both.open();
      await done.passed;
      client.release();
    });
    const deliveries = ["one", "two"].map((id) => {
      const { headers, body } = signDelivery({ secret: SECRET, event: { id, event: "order.filled", data: {} } });
      return { method: "POST", headers, body: Buffer.from(body) };
    });
    const replies = deliveries.map((delivery) => receiver.handle(delivery));
    await both.passed;
    const end = async () => {
      done.open();
      return (await Promise.all(replies)).map(({ status }) => status);
    };
    return { receiver, deliveries, end };
  }

  it("starve the renewals of a store on the same pool, which warns once and says what to do", async () => {
    const { schema } = await healthy();
    const shared = pool({ max: 2 });
    const warnings: string[] = [];
    const warn = (message: string) => void warnings.push(message);
    const store = postgresStore(shared, { schema, timeoutMs: TIMEOUT_MS, warn });
    const { end } = await holding(store, shared);
    await expect.poll(() => warnings.length, { timeout: 10_000 }).toBe(1);
    await expect(store.forget("event")).rejects.toMatchObject({ code: "store_unavailable" });
    expect(warnings).toEqual([
      "bluum-webhooks: postgresStore could not renew the event, because other code holds every client of its pool of 2. " +
        "A claim that is not renewed within its lease is given to another process, and the event runs twice at once. " +
        "Give the store a pool of its own (docs/guides/postgres.md), or let handlers hold clients for a shorter time.",
    ]);
    await end();
  });

  it("do not block a store that has its own pool", async () => {
    const { schema } = await healthy();
    const warnings: string[] = [];
    const warn = (message: string) => void warnings.push(message);
    const store = postgresStore(pool({ max: 2 }), { schema, timeoutMs: TIMEOUT_MS, warn });
    const { receiver, deliveries, end } = await holding(store, pool({ max: 2 }));
    const until = performance.now() + 2.5 * LEASE;
    while (performance.now() < until) {
      for (const delivery of deliveries) expect((await receiver.handle(delivery)).status).toBe(503);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await end()).toEqual([200, 200]);
    expect(warnings).toEqual([]);
  });
});

describe.skipIf(!service)("a server that refuses", () => {
  it("to write, as a replica does, never counts as a claim", async () => {
    const { store, another } = await healthy();
    await store.claim("held", by("mine"));
    const readOnly = another(pool({ options: "-c default_transaction_read_only=on" }));
    await allFail(readOnly, 2_000);
    await expect(stranger(readOnly, "held")).rejects.toMatchObject({ cause: { code: "25006" } });
    await expect(readOnly.purge()).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it("because the table is missing serves once it exists", async () => {
    const { client, schema } = await healthy();
    const store = postgresStore(client, { schema, table: "made later" });
    await expect(stranger(store)).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("call store.migrate()"),
      cause: { code: "42P01" },
    });
    await store.migrate();
    expect(await stranger(store)).toEqual({ status: "claimed" });
  });

  it("to migrate says so", async () => {
    const readOnly = pool({ options: "-c default_transaction_read_only=on" });
    await expect(postgresStore(readOnly, { table: "never made" }).migrate()).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("could not migrate"),
      cause: { code: "25006" },
    });
  });
});

describe("a client that breaks its contract", () => {
  it.each<[string, PostgresClient["query"]]>([
    [
      "throws",
      () => {
        throw new Error("thrown, not rejected");
      },
    ],
    ["rejects with no error", () => Promise.reject("a string")],
    ["gives no rows", async () => ({ rows: [] })],
    ["gives no result", async () => undefined as never],
    ["gives rows of something else", async () => ({ rows: [{ answer: "yes" }] })],
  ])("and %s is never believed to have claimed", async (_how, query) => {
    await expect(stranger(postgresStore({ query }))).rejects.toMatchObject({ code: "store_unavailable" });
    const completing = postgresStore({ query }).complete("event", by("mine"));
    await expect(completing).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it("and answers nothing is waited for no longer than timeoutMs", async () => {
    await allFail(postgresStore({ query: () => new Promise(() => {}) }, { timeoutMs: 50 }), 1_000);
  });
});

describe.skipIf(!service)("connections that break", () => {
  const at = (proxy: FlakyProxy) => {
    const broken = new URL(url);
    broken.host = `127.0.0.1:${proxy.port}`;
    return broken.href;
  };
  const behind = async () => {
    const { hostname, port } = new URL(url);
    const proxy = await flakyProxy(Number(port || 5432), { host: hostname });
    made.push({ dispose: () => proxy.close() });
    return proxy;
  };

  it("while idle, on the server's side, are replaced", async () => {
    const { client, store, another } = await healthy();
    const other = pool({ application_name: "to be cut" });
    const through = another(other);
    await Promise.all(Array.from({ length: 5 }, (_, place) => stranger(through, `event ${place}`)));
    await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to be cut'");
    await expect.poll(() => other.totalCount).toBe(0);
    expect(await stranger(through)).toEqual({ status: "claimed" });
    expect(await stranger(store)).toMatchObject({ status: "in_flight" });
  });

  it("as they are taken from the pool do not end the process", async () => {
    const { another } = await healthy();
    const other = pool({ max: 1 });
    const through = another(other);
    await stranger(through, "to connect");
    const heard: boolean[] = [];
    // pg emits the error of an ended connection in a tick of its own, before any promise is handled.
    other.on("acquire", (taken) => process.nextTick(() => heard.push(taken.emit("error", new Error("ended")))));
    await stranger(through);
    await inTransaction(
      other,
      async () => {},
      async () => {},
    );
    expect(heard).toEqual([true, true]);
  });

  it("that no longer answers is closed, and its transaction fails in time", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const released: unknown[] = [];
    const silent = { query: () => new Promise<never>(() => {}), release: (failure: unknown) => released.push(failure) };
    const frozen = { totalCount: 1, connect: async () => silent };
    const ended = inTransaction(
      frozen as never,
      async () => {},
      async () => {},
    );
    const failed = expect(ended).rejects.toThrow("no answer within 60000 ms");
    await vi.advanceTimersByTimeAsync(70_000);
    await failed;
    expect(released).toEqual([expect.any(Error)]);
  });

  it("while a claim is answered leave a claim that its token can release", async () => {
    const proxy = await behind();
    const { store, another, client, schema } = await healthy();
    const through = another(pool({}, at(proxy)), { timeoutMs: 2_000 });
    await stranger(through, "to connect");
    proxy.loseReplies();
    const claim = through.claim("event", by("mine"));
    const written = async () =>
      (await client.query(`SELECT FROM "${schema}".bluum_webhook_events WHERE token = 'mine'`)).rows.length;
    await expect.poll(written).toBe(1);
    proxy.cut();
    proxy.pass();
    await expect(claim).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await through.release("event", by("mine"))).toBe(true);
    expect(await stranger(store)).toEqual({ status: "claimed" });
  });

  it("to a server that vanished are closed by the pool after a while", async () => {
    const proxy = await behind();
    const { another } = await healthy();
    const through = another(pool({ max: 2 }, at(proxy)), { timeoutMs: 100 });
    // Its connections may take longer than that to be opened.
    await expect
      .poll(() => Promise.all([stranger(through, "one"), stranger(through, "two")]).catch(() => []))
      .toHaveLength(2);
    proxy.loseReplies();
    await allFail(through, 1_000);
    proxy.pass();
    await expect
      .poll(() => stranger(through, randomUUID()).catch(() => "failed"), { timeout: 10_000 })
      .toEqual({ status: "claimed" });
  });

  it("are refused at the start: the store recovers, through pg and postgres.js", async () => {
    const proxy = await behind();
    const { another } = await healthy();
    const js = openPostgresJs(at(proxy));
    made.push({ dispose: () => js.close() });
    await proxy.refuse();
    const stores = [another(pool({}, at(proxy)), { timeoutMs: 2_000 }), another(js.client, { timeoutMs: 2_000 })];
    for (const store of stores) await expect(stranger(store)).rejects.toMatchObject({ code: "store_unavailable" });
    await proxy.open();
    for (const store of stores) {
      await expect
        .poll(() => stranger(store, randomUUID()).catch(() => "failed"), { timeout: 15_000 })
        .toEqual({ status: "claimed" });
    }
  });
});

describe.skipIf(!canStartPostgres())("a server of the test's own", () => {
  let server: PrivatePostgres;

  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.stop());

  it("that is frozen fails every verb in time, and late claims are released or expire", async () => {
    const { store, another } = await healthy({}, server.url);
    const own = pool({ max: 3 }, server.url);
    const warnings: string[] = [];
    const slow = another(own, { timeoutMs: TIMEOUT_MS, warn: (message) => warnings.push(message) });
    await Promise.all([stranger(slow, "one"), stranger(slow, "two"), stranger(slow, "three")]);
    server.freeze();
    try {
      // Claim and release go down two connections: if the release comes first, the lease has to expire.
      const claim = timedStore(slow).claim("event", { token: "late", leaseMs: 1_000 });
      await expect(claim).rejects.toThrow("no answer");
      await allFail(slow, 2_000);
    } finally {
      server.thaw();
    }
    await expect.poll(() => stranger(store).then(({ status }) => status), { timeout: 10_000 }).toBe("claimed");
    // Its own statements held the clients of the pool, not handlers.
    expect(warnings).toEqual([]);
  });

  it("that crashes and restarts is used again by the same store, and has forgotten nothing", async () => {
    const { store } = await healthy({}, server.url);
    expect(await store.claim("done", by("mine"))).toEqual({ status: "claimed" });
    expect(await store.complete("done", by("mine"))).toBe("stored");
    expect(await store.claim("held", by("mine"))).toEqual({ status: "claimed" });
    await server.kill();
    await allFail(store, 5_000);
    await server.start();
    expect(await stranger(store, "done")).toEqual({ status: "completed" });
    expect(await stranger(store, "held")).toMatchObject({ status: "in_flight" });
    expect(await store.renew("held", by("mine"))).toBe(true);
  }, 60_000);
});
