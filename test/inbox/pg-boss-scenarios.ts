// What pgBossInbox must do on every version of pg-boss. Plain functions: vitest runs them on pg-boss 10, and a child process under a
// newer Node on pg-boss 12.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import pg from "pg";
import { ParkEvent } from "../../src/inbox/failure.ts";
import type { InboxAttempt, InboxWorker, ParkedNotice, ProcessMessage, WorkOptions } from "../../src/inbox/inbox.ts";
import type { InboxMessage } from "../../src/inbox/message.ts";
import {
  type BossDb,
  type PgBoss,
  type PgBossInbox,
  type PgBossInboxOptions,
  pgBossInbox,
} from "../../src/inbox/pg-boss.ts";
import { flakyProxy } from "../services/flaky-proxy.ts";

const RETENTION_MS = 7 * 24 * 3_600_000;
const QUICK = { attempts: 3, backoffMs: 1, maxBackoffMs: 1 };

/** A started pg-boss in a schema of its own. */
export interface StartedBoss {
  readonly url: string;
  readonly boss: PgBoss;
  readonly schema: string;
  /** Where it is installed, for processes of their own. */
  readonly folder?: string;
}

/** One inbox with its own queue, and what was made for it. */
export class Subject {
  readonly started: StartedBoss;
  readonly queue: string;
  readonly pool: pg.Pool;
  readonly inbox: PgBossInbox;
  readonly parked: ParkedNotice[] = [];
  readonly errors: unknown[] = [];
  readonly #workers: InboxWorker[] = [];
  readonly #pools: pg.Pool[] = [];

  constructor(
    started: StartedBoss,
    options: Partial<PgBossInboxOptions> = {},
    max = 3,
    boss: PgBoss = started.boss,
    queue: string = `q_${randomUUID()}`,
  ) {
    this.started = started;
    this.queue = queue;
    this.pool = this.openPool({ max });
    this.inbox = this.another(options, boss);
  }

  openPool(config: pg.PoolConfig): pg.Pool {
    const pool = new pg.Pool({ connectionString: this.started.url, ...config });
    pool.on("error", () => {});
    this.#pools.push(pool);
    return pool;
  }

  another(options: Partial<PgBossInboxOptions> = {}, boss: PgBoss = this.started.boss): PgBossInbox {
    const { schema } = this.started;
    const { pool, queue } = this;
    return pgBossInbox(boss, {
      pool,
      queue,
      schema,
      store: { schema, table: queue, timeoutMs: 10_000 },
      retry: QUICK,
      lockMs: 1_000,
      ...options,
    });
  }

  add(key: string, more: Partial<InboxMessage> = {}): Promise<"added" | "duplicate"> {
    return this.inbox.add(message(key, more), { retentionMs: RETENTION_MS });
  }

  work(process: ProcessMessage, options: Partial<WorkOptions> = {}, inbox: PgBossInbox = this.inbox): InboxWorker {
    const worker = inbox.work(process, {
      pollMs: 50,
      maxProcessingMs: 60_000,
      onParked: (notice) => void this.parked.push(notice),
      onError: (error) => void this.errors.push(error),
      ...options,
    });
    this.#workers.push(worker);
    return worker;
  }

  /** Runs a statement with `job` for the table of jobs. */
  async sql(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    const { rows } = await this.pool.query(text.replaceAll("$job", `${this.started.schema}.job`), values);
    return rows;
  }

  /** Takes a job as a worker that dies at once. */
  async die(queue: string = this.queue): Promise<void> {
    await until(async () => (await this.started.boss.fetch(queue, { includeMetadata: true })).length === 1);
  }

  async dispose(): Promise<void> {
    for (const worker of this.#workers) await worker.close({ timeoutMs: 1_000 });
    for (const pool of this.#pools) await pool.end();
  }
}

/** A message as the receiver stores it. */
function message(key: string, more: Partial<InboxMessage> = {}): InboxMessage {
  return {
    v: 1,
    key,
    id: `id-${key}`,
    type: "order.filled",
    body: `{"type":"order.filled","data":{"amount":10.00,"name":"Ünïcødé"}}`,
    headers: { "content-type": "application/json" },
    identifiedBy: "payload",
    receivedAt: 1_800_000_000_000,
    secretIndex: 0,
    ...more,
  };
}

/** Waits for a condition. */
export async function until(holds: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    assert.ok(performance.now() < end, `the condition does not hold within ${withinMs} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A promise and what resolves it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** The same pg-boss, but `around` runs around each `send`. */
export function sendingWith(
  boss: PgBoss,
  around: (send: () => Promise<string | null>, db: BossDb, data: object) => Promise<string | null>,
): PgBoss {
  return new Proxy(boss, {
    get(target, name) {
      const own: unknown = Reflect.get(target, name);
      if (typeof own !== "function") return own;
      if (name !== "send") return own.bind(target);
      return (queue: string, data: object, options: { db: BossDb }) =>
        around(() => target.send(queue, data, options), options.db, data);
    },
  });
}

const keyOf = (stored: unknown) => (stored as InboxMessage).key;
const fails = () => Promise.reject(new Error("the ledger is closed"));

/** A scenario, by its name. */
export type Scenarios = Readonly<Record<string, (started: StartedBoss) => Promise<void>>>;

/** Makes a subject, and cleans up after the scenario. */
export function withSubject(
  run: (subject: Subject) => Promise<void>,
  options: Partial<PgBossInboxOptions> = {},
  max?: number,
): (started: StartedBoss) => Promise<void> {
  return async (started) => {
    const subject = new Subject(started, options, max);
    try {
      await run(subject);
    } finally {
      await subject.dispose();
    }
  };
}

const storing: Scenarios = {
  "adds a message once": withSubject(async (subject) => {
    assert.equal(await subject.add("a"), "added");
    assert.equal(await subject.add("a"), "duplicate");
    assert.equal((await subject.inbox.stats()).waiting, 1);
    assert.deepEqual(await subject.inbox.store.claim("a", { token: "t", leaseMs: 1_000 }), { status: "completed" });
  }),

  "adds one of fifty copies at once": withSubject(async (subject) => {
    const answers = await Promise.allSettled(Array.from({ length: 50 }, () => subject.add("a")));
    const added = answers.filter((answer) => answer.status === "fulfilled" && answer.value === "added");
    assert.equal(added.length, 1);
    for (const answer of answers) if (answer.status === "rejected") assert.equal(answer.reason.code, "event_in_flight");
    assert.equal((await subject.inbox.stats()).waiting, 1);
  }),

  "stores nothing where the backend is ended in the middle of add": async (started) => {
    let hit = false;
    const boss = sendingWith(started.boss, async (send, db) => {
      const { rows } = await db.executeSql("SELECT pg_backend_pid() AS pid");
      if (!hit) await subject.sql("SELECT pg_terminate_backend($1)", [(rows[0] as { pid: number }).pid]);
      hit = true;
      return send();
    });
    const subject = new Subject(started, {}, 4, boss);
    try {
      await assert.rejects(subject.add("a"));
      assert.equal((await subject.inbox.stats()).waiting, 0);
      assert.equal(await subject.add("a"), "added");
      assert.equal((await subject.inbox.stats()).waiting, 1);
    } finally {
      await subject.dispose();
    }
  },

  "does not report a message as stored where COMMIT rolls back": async (started) => {
    const boss = sendingWith(started.boss, async (send, db) => {
      const id = await send();
      await db.executeSql("SELECT 1 / 0").catch(() => {});
      return id;
    });
    const subject = new Subject(started, {}, 4, boss);
    try {
      await assert.rejects(subject.add("a"), { code: "completion_rolled_back" });
      assert.equal((await subject.inbox.stats()).waiting, 0);
    } finally {
      await subject.dispose();
    }
  },

  "works with a pool of one client": withSubject(
    async (subject) => {
      const seen = new Set<string>();
      subject.work(async (stored) => void seen.add(keyOf(stored)));
      await Promise.all(Array.from({ length: 20 }, (_, i) => subject.add(`k${i}`)));
      await until(() => seen.size === 20);
    },
    {},
    1,
  ),

  "stores texts that jsonb cannot hold": withSubject(async (subject) => {
    const odd = {
      id: "a\0b\ud800",
      type: "odd\0",
      headers: { x: "\\u0000 \udfff" },
      body: String.raw`{"x":"\u0000\ud800"}`,
    };
    await subject.add("a", odd);
    const seen: unknown[] = [];
    subject.work(async (stored) => {
      seen.push(stored);
      throw new ParkEvent("not \0 \ud800 storable");
    });
    await until(() => subject.parked.length === 1);
    assert.deepEqual(seen, [message("a", odd)]);
    const [event] = (await subject.inbox.parked({ keys: ["a"] })).events;
    assert.deepEqual(event?.message, message("a", odd));
    assert.equal(event?.error.message, "not \ufffd \ufffd storable");
  }),

  "refuses a schema that is not that of pg-boss": withSubject(async (subject) => {
    const { schema } = subject.started;
    const elsewhere = subject.another({ schema: "not_there", store: { schema } });
    await assert.rejects(elsewhere.stats(), { code: "configuration_invalid" });
  }),
};

const working: Scenarios = {
  "hands over what was stored": withSubject(async (subject) => {
    const seen: [unknown, InboxAttempt][] = [];
    subject.work(async (stored, attempt) => void seen.push([stored, attempt]));
    await subject.add("a");
    await until(() => seen.length === 1);
    assert.deepEqual(seen, [[message("a"), { number: 1, of: 3 }]]);
    await until(async () => (await subject.inbox.stats()).active === 0);
    const stats = await subject.inbox.stats();
    assert.deepEqual(stats, { waiting: 0, delayed: 0, active: 0, parked: 0, oldestWaitingMs: 0 });
  }),

  "two workers run each message once": withSubject(async (subject) => {
    const runs = new Map<string, number>();
    const count: ProcessMessage = async (stored) => void runs.set(keyOf(stored), (runs.get(keyOf(stored)) ?? 0) + 1);
    for (let i = 0; i < 100; i += 1) await subject.add(`k${i}`);
    subject.work(count, { concurrency: 5 });
    subject.work(count, { concurrency: 5 }, subject.another());
    await until(() => runs.size === 100);
    assert.deepEqual([...new Set(runs.values())], [1]);
  }),

  "retries with the pauses of retry, and parks after the last attempt": withSubject(
    async (subject) => {
      const starts: { at: number; number: number }[] = [];
      await subject.add("a");
      subject.work((_, { number }) => {
        starts.push({ at: performance.now(), number });
        return fails();
      });
      await until(() => starts.length === 1);
      await until(async () => (await subject.inbox.stats()).delayed === 1 || starts.length > 1);
      await until(() => subject.parked.length === 1);
      assert.deepEqual(
        starts.map(({ number }) => number),
        [1, 2, 3],
      );
      const [notice] = subject.parked;
      assert.deepEqual(
        { ...notice, error: notice?.error.message },
        {
          key: "a",
          type: "order.filled",
          attempts: 3,
          error: "the ledger is closed",
        },
      );
      const { events, cursor } = await subject.inbox.parked();
      assert.equal(cursor, undefined);
      assert.equal(events.length, 1);
      assert.deepEqual(events[0]?.message, message("a"));
      assert.equal(events[0]?.attempts, 3);
      assert.equal(events[0]?.id, "id-a");
      assert.match(events[0]?.error.stack ?? "", /the ledger is closed/);
      assert.ok(Math.abs((events[0]?.parkedAt.getTime() ?? 0) - Date.now()) < 60_000);
    },
    { retry: { attempts: 3, backoffMs: 300, maxBackoffMs: 400 } },
  ),

  "parks at once for a ParkEvent": withSubject(async (subject) => {
    await subject.add("a");
    subject.work(() => Promise.reject(new ParkEvent("no such account")));
    await until(() => subject.parked.length === 1);
    assert.equal(subject.parked[0]?.attempts, 1);
    const stats = await subject.inbox.stats();
    assert.equal(stats.parked, 1);
    assert.equal(stats.waiting + stats.delayed + stats.active, 0);
  }),

  "an altered message is parked, and others go on": withSubject(async (subject) => {
    await subject.add("a");
    await subject.add("b");
    await subject.sql(`UPDATE $job SET data = '"nonsense"' WHERE name = $1 AND data ->> 'key' = 'a'`, [subject.queue]);
    const seen: unknown[] = [];
    subject.work(async (stored) => {
      if (typeof stored !== "object") throw new Error("not a message");
      seen.push(keyOf(stored));
    });
    await until(() => subject.parked.length === 1 && seen.length === 1);
    assert.deepEqual(seen, ["b"]);
    const [event] = (await subject.inbox.parked()).events;
    assert.equal(event?.key, "a");
    assert.equal(event?.message, undefined);
    assert.equal(await subject.inbox.discard({ keys: ["a"] }), 1);
  }),

  "a message of a dead worker comes back, and the crash counts": withSubject(async (subject) => {
    await subject.add("a");
    await subject.die();
    const seen: number[] = [];
    const startedAt = performance.now();
    subject.work(async (_, { number }) => void seen.push(number));
    await until(() => seen.length === 1);
    assert.deepEqual(seen, [2]);
    assert.ok(performance.now() - startedAt < 5_000);
  }),

  "a message that kills its workers is parked by the one that finds it": withSubject(
    async (subject) => {
      await subject.add("a");
      await subject.die();
      const worker = subject.work(async () => {}, { concurrency: 1 });
      await worker.close();
      await subject.sql("UPDATE $job SET state = 'active' WHERE name = $1", [subject.queue]);
      await subject.sql("UPDATE $job SET retry_count = 1, started_on = now() - interval '1 h' WHERE name = $1", [
        subject.queue,
      ]);
      const heartbeats = await subject.sql(
        "SELECT FROM pg_attribute WHERE attrelid = '$job'::regclass AND attname = 'heartbeat_on'",
      );
      if (heartbeats.length > 0)
        await subject.sql("UPDATE $job SET heartbeat_on = now() - interval '1 h' WHERE name = $1", [subject.queue]);
      const seen: unknown[] = [];
      subject.work(async (stored) => void seen.push(stored));
      await until(() => subject.parked.length === 1);
      assert.equal(subject.parked[0]?.attempts, 2);
      assert.deepEqual(seen, []);
    },
    { retry: { attempts: 2, backoffMs: 1 } },
  ),

  "a long run keeps its message": withSubject(
    async (subject) => {
      await subject.add("a");
      const numbers: number[] = [];
      const slow: ProcessMessage = async (_, { number }) => {
        numbers.push(number);
        await new Promise((resolve) => setTimeout(resolve, 5_000));
      };
      subject.work(slow);
      subject.work(slow, {}, subject.another({ lockMs: 2_000 }));
      const isDone = async () =>
        (await subject.sql("SELECT FROM $job WHERE name = $1 AND state = 'completed'", [subject.queue])).length > 0;
      await until(isDone);
      assert.deepEqual(numbers, [1]);
    },
    { lockMs: 2_000 },
  ),

  "the late result of a run that lost its message does not touch it": withSubject(
    async (subject) => {
      await subject.add("a");
      const { opened, open } = gate();
      let started = false;
      const worker = subject.work(async () => {
        started = true;
        await opened;
      });
      await until(() => started);
      await subject.sql("UPDATE $job SET retry_count = 7 WHERE name = $1", [subject.queue]);
      open();
      await worker.close();
      assert.equal((await subject.inbox.stats()).active, 1);
    },
    { lockMs: 60_000 },
  ),

  "close gives the rest back at once, and it costs no attempt": withSubject(async (subject) => {
    await subject.add("a");
    const { opened, open } = gate();
    let started = false;
    const worker = subject.work(async () => {
      started = true;
      await opened;
      throw new Error("too late");
    });
    await until(() => started);
    await worker.close({ timeoutMs: 50 });
    assert.equal((await subject.inbox.stats()).waiting, 1);
    const seen: number[] = [];
    subject.work(async (_, { number }) => void seen.push(number));
    await until(() => seen.length === 1);
    open();
    assert.deepEqual(seen, [1]);
  }),

  "close waits for what runs": withSubject(async (subject) => {
    await subject.add("a");
    let ended = false;
    let started = false;
    const worker = subject.work(async () => {
      started = true;
      await new Promise((resolve) => setTimeout(resolve, 300));
      ended = true;
    });
    await until(() => started);
    await worker.close();
    assert.ok(ended);
    const { waiting, active } = await subject.inbox.stats();
    assert.deepEqual([waiting, active], [0, 0]);
  }),

  "a worker waits for a database that is away, and recovers": async (started) => {
    const { hostname, port } = new URL(started.url);
    assert.equal(hostname, "127.0.0.1");
    const proxy = await flakyProxy(Number(port || 5432));
    const subject = new Subject(started);
    try {
      const through = new URL(started.url);
      through.port = String(proxy.port);
      const pool = subject.openPool({ connectionString: through.href, max: 2 });
      const inbox = subject.another({ pool });
      const seen: string[] = [];
      subject.work(async (stored) => void seen.push(keyOf(stored)), {}, inbox);
      await subject.add("a");
      await until(() => seen.length === 1);
      await proxy.refuse();
      await until(() => subject.errors.length >= 2);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      assert.ok(subject.errors.length <= 12, `no busy loop: ${subject.errors.length} errors`);
      await subject.add("b");
      await proxy.open();
      await until(() => seen.includes("b"));
    } finally {
      await subject.dispose();
      await proxy.close();
    }
  },
};

const parking: Scenarios = {
  "redrives with the attempts counted from 1 again": withSubject(async (subject) => {
    let broken = true;
    const seen: number[] = [];
    await subject.add("a");
    subject.work((_, { number }) => {
      seen.push(number);
      return broken ? fails() : Promise.resolve();
    });
    await until(() => subject.parked.length === 1);
    broken = false;
    assert.equal(await subject.inbox.redrive({ keys: ["a", "unknown"] }), 1);
    await until(() => seen.length === 4);
    assert.deepEqual(seen, [1, 2, 3, 1]);
    await until(async () => (await subject.inbox.stats()).active === 0);
    assert.equal((await subject.inbox.stats()).parked, 0);
    assert.equal(await subject.add("a"), "duplicate");
  }),

  "is parked again with what it failed with then": withSubject(async (subject) => {
    await subject.add("a");
    subject.work(() => Promise.reject(new ParkEvent(`parked ${subject.parked.length}`)));
    await until(() => subject.parked.length === 1);
    assert.equal(await subject.inbox.redrive({ all: true }), 1);
    await until(() => subject.parked.length === 2);
    const [event] = (await subject.inbox.parked()).events;
    assert.equal(event?.error.message, "parked 1");
    assert.equal(event?.attempts, 1);
  }),

  "lists in pages, by type and by key, and discards": withSubject(async (subject) => {
    for (let i = 0; i < 25; i += 1) await subject.add(`k${i}`, { type: i < 5 ? "rare" : "usual" });
    const worker = subject.work(() => Promise.reject(new ParkEvent("never")));
    await until(() => subject.parked.length === 25);
    await worker.close();
    const keys: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await subject.inbox.parked(cursor === undefined ? { limit: 10 } : { limit: 10, cursor });
      keys.push(...page.events.map(({ key }) => key));
      cursor = page.cursor;
    } while (cursor !== undefined);
    assert.equal(keys.length, 25);
    assert.equal(new Set(keys).size, 25);
    assert.equal((await subject.inbox.parked({ type: "rare" })).events.length, 5);
    assert.deepEqual(
      (await subject.inbox.parked({ keys: ["k7"] })).events.map(({ key }) => key),
      ["k7"],
    );
    await assert.rejects(subject.inbox.parked({ cursor: "nonsense" }), { code: "configuration_invalid" });
    assert.equal(await subject.inbox.discard({ type: "rare" }), 5);
    assert.equal(await subject.inbox.redrive({ type: "usual" }), 20);
    assert.equal((await subject.inbox.stats()).waiting, 20);
    assert.equal((await subject.inbox.stats()).parked, 0);
  }),

  "two redrives at once move each event once": withSubject(async (subject) => {
    for (let i = 0; i < 30; i += 1) await subject.add(`k${i}`);
    const worker = subject.work(() => Promise.reject(new ParkEvent("never")));
    await until(() => subject.parked.length === 30);
    await worker.close();
    const moved = await Promise.all([subject.inbox.redrive({ all: true }), subject.inbox.redrive({ all: true })]);
    assert.equal(moved[0] + moved[1], 30);
    assert.equal((await subject.inbox.stats()).waiting, 30);
  }),

  "nothing that waits or is parked is deleted for years": withSubject(async (subject) => {
    await subject.add("a");
    await subject.add("b");
    const worker = subject.work(() => Promise.reject(new ParkEvent("never")), { concurrency: 1 });
    await until(() => subject.parked.length >= 1);
    await worker.close();
    await subject.inbox.redrive({ all: true });
    const rows = await subject.sql("SELECT keep_until FROM $job WHERE name LIKE $1 AND state < 'active'", [
      `${subject.queue}%`,
    ]);
    assert.equal(rows.length, 2);
    for (const { keep_until } of rows) assert.ok((keep_until as Date).getTime() > Date.now() + 9 * 365 * 86_400_000);
  }),
};

/** What holds on every version, by subject. */
export const everywhere: Readonly<Record<"storing" | "working" | "parking", Scenarios>> = { storing, working, parking };

/** What holds from 12.38 on. */
export const ordered: Scenarios = {
  "events of one key run one after the other, also while one is retried": withSubject(async (subject) => {
    assert.equal(subject.inbox.noOrder, undefined);
    for (const key of ["A", "B", "C"]) await subject.add(key, { orderingKey: "account 1" });
    await subject.add("X", { orderingKey: "account 2" });
    await subject.add("Y");
    const ran: string[] = [];
    const process: ProcessMessage = async (stored, { number }) => {
      ran.push(keyOf(stored));
      if (keyOf(stored) === "A" && number < 3) throw new Error("not yet");
    };
    subject.work(process);
    subject.work(process, {}, subject.another());
    await until(() => ran.length === 7);
    assert.deepEqual(
      ran.filter((key) => "ABC".includes(key)),
      ["A", "A", "A", "B", "C"],
    );
    assert.ok(ran.includes("X") && ran.includes("Y"));
  }),

  "a parked event lets its key go on, and is redriven behind it": withSubject(async (subject) => {
    for (const key of ["A", "B"]) await subject.add(key, { orderingKey: "account" });
    const ran: string[] = [];
    let broken = true;
    subject.work(async (stored) => {
      ran.push(keyOf(stored));
      if (broken && keyOf(stored) === "A") throw new ParkEvent("never");
    });
    await until(() => ran.length === 2);
    broken = false;
    assert.equal(await subject.inbox.redrive({ keys: ["A"] }), 1);
    await until(() => ran.length === 3);
    assert.deepEqual(ran, ["A", "B", "A"]);
  }),

  "a crash keeps the order": withSubject(async (subject) => {
    for (const key of ["A", "B"]) await subject.add(key, { orderingKey: "account" });
    await subject.die(`${subject.queue}_ordered`);
    const ran: [string, number][] = [];
    subject.work(async (stored, { number }) => void ran.push([keyOf(stored), number]));
    await until(() => ran.length === 2);
    assert.deepEqual(ran, [
      ["A", 2],
      ["B", 1],
    ]);
  }),

  "many keys keep their order, with failures, two workers and one that dies": async (started) => {
    const keys = Array.from({ length: Number(process.env.ORDER_KEYS ?? 200) }, (_, i) => `account ${i}`);
    const subject = new Subject(started, { retry: { attempts: 10, backoffMs: 1, maxBackoffMs: 20 } }, 12);
    try {
      for (const name of ["A", "B", "C"]) {
        for (const key of keys) await subject.add(`${name} ${key}`, { orderingKey: key });
      }
      await subject.die(`${subject.queue}_ordered`);
      const done = new Map<string, string>();
      const process: ProcessMessage = async (stored, { number }) => {
        const { key, orderingKey = "" } = stored as InboxMessage;
        if (key.startsWith("A") && number < 3) throw new Error("not yet");
        done.set(orderingKey, (done.get(orderingKey) ?? "") + key[0]);
      };
      subject.work(process);
      subject.work(process, {}, subject.another({ retry: { attempts: 10, backoffMs: 1, maxBackoffMs: 20 } }));
      await until(() => [...done.values()].join("").length === 3 * keys.length, 300_000);
      assert.deepEqual([...new Set(done.values())], ["ABC"]);
    } finally {
      await subject.dispose();
    }
  },

  "what close gives back stays first": withSubject(async (subject) => {
    for (const key of ["A", "B"]) await subject.add(key, { orderingKey: "account" });
    const { opened, open } = gate();
    let started = false;
    const worker = subject.work(async () => {
      started = true;
      await opened;
    });
    await until(() => started);
    await worker.close({ timeoutMs: 10 });
    open();
    const ran: [string, number][] = [];
    subject.work(async (stored, { number }) => void ran.push([keyOf(stored), number]));
    await until(() => ran.length === 2);
    assert.deepEqual(ran, [
      ["A", 1],
      ["B", 1],
    ]);
  }),
};
