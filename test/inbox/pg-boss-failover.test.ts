import pg from "pg";
import PgBoss10 from "pg-boss10";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type PgBoss, type PgBossInbox, pgBossInbox } from "../../src/inbox/pg-boss.ts";
import type { InboxMessage, Receiver } from "../../src/index.ts";
import { exhaustive, inFull } from "../exhaustive.ts";
import { anEvent, bench as receiving, signed } from "../pipeline/receiving.ts";
import { type FlakyProxy, flakyProxy } from "../services/flaky-proxy.ts";
import {
  canStartStandby,
  type PrivatePostgres,
  type StandbyPostgres,
  startPostgres,
  startStandby,
} from "../services/postgres.ts";
import { sendingWith, until } from "./pg-boss-scenarios.ts";
import { type Answer, deliver } from "./provider.ts";

const EVENTS = 120;
/** How many deliveries are on their way at once, and how many events are handled at once. */
const SENDERS = 4;
/** Which `add`, or which booking, is under way when the primary crashes. */
const STRUCK = 40;

/** What the crash interrupts. */
const MOMENTS = [
  "before the COMMIT of an add",
  "after the COMMIT of an add, whose answer is lost",
  "after the COMMIT of a booking, whose answer is lost",
] as const;
type Moment = (typeof MOMENTS)[number];

/** A primary that commits nothing without its standby, and a proxy before the two. */
class Cluster {
  readonly primary: PrivatePostgres;
  readonly standby: StandbyPostgres;
  readonly proxy: FlakyProxy;

  private constructor(primary: PrivatePostgres, standby: StandbyPostgres, proxy: FlakyProxy) {
    this.primary = primary;
    this.standby = standby;
    this.proxy = proxy;
  }

  static async start(): Promise<Cluster> {
    const primary = await startPostgres("synchronous_standby_names=*", "synchronous_commit=on");
    const standby = await startStandby(primary);
    return new Cluster(primary, standby, await flakyProxy(primary.port));
  }

  get url(): string {
    return this.primary.url.replace(`:${this.primary.port}/`, `:${this.proxy.port}/`);
  }

  /** Once the primary is gone. */
  async failOver(): Promise<void> {
    await this.standby.promote();
    this.proxy.switchTo(this.standby.port);
    this.proxy.pass();
  }

  async stop(): Promise<void> {
    await this.proxy.close();
    await this.standby.stop();
    await this.primary.stop();
  }
}

/** Crashes the primary in the middle of one transaction, and fails over. */
class Strike {
  /** The event that was being stored or booked. */
  event = "";
  at = 0;
  failedOver: Promise<void> | undefined;
  readonly #cluster: Cluster;
  readonly #moment: Moment;
  readonly #onStandby: pg.Pool;
  #sends = 0;
  #bookings = 0;

  constructor(cluster: Cluster, moment: Moment, onStandby: pg.Pool) {
    this.#cluster = cluster;
    this.#moment = moment;
    this.#onStandby = onStandby;
  }

  /** The same pg-boss, in whose `send` it strikes. */
  on(boss: PgBoss): PgBoss {
    return sendingWith(boss, async (send, _, data) => {
      const job = await send();
      this.#sends += 1;
      const { id } = data as InboxMessage;
      if (this.#sends !== STRUCK) return job;
      if (this.#moment === "before the COMMIT of an add") await this.#beforeCommit(id);
      if (this.#moment === "after the COMMIT of an add, whose answer is lost") {
        this.#afterCommit(id, "SELECT FROM pgboss.job WHERE id = $1", job);
      }
      return job;
    });
  }

  /** To be called in the transaction that books an event. */
  onBooking(event: string): void {
    this.#bookings += 1;
    if (this.#moment !== "after the COMMIT of a booking, whose answer is lost" || this.#bookings !== STRUCK) return;
    this.#afterCommit(event, "SELECT FROM ledger WHERE event = $1", event);
  }

  async #beforeCommit(event: string): Promise<void> {
    this.event = event;
    await this.#crash();
    this.failedOver = this.#cluster.failOver();
  }

  /** @param find the statement that finds a row of the transaction on the standby */
  #afterCommit(event: string, find: string, id: string | null): void {
    this.event = event;
    this.#cluster.proxy.holdReplies();
    const isOnStandby = async () => (await this.#onStandby.query(find, [id])).rowCount === 1;
    this.failedOver = until(isOnStandby)
      .then(() => this.#crash())
      .then(() => this.#cluster.failOver());
  }

  async #crash(): Promise<void> {
    this.at = performance.now();
    await this.#cluster.primary.crash();
  }
}

/** A service that knows nothing of the cluster behind its URL. */
interface App {
  readonly receiver: Receiver;
  readonly inbox: PgBossInbox;
  /** The events that its second handler has seen. */
  readonly seen: Set<string>;
}

describe.runIf(exhaustive && canStartStandby())("a failover of PostgreSQL while pgBossInbox stores", inFull, () => {
  const crashes: unknown[] = [];
  const note = (error: unknown) => void crashes.push(error);
  const made: (() => Promise<unknown>)[] = [];
  let cluster: Cluster;

  beforeEach(async () => {
    for (const event of ["unhandledRejection", "uncaughtException"]) process.on(event, note);
    cluster = await Cluster.start();
    made.push(() => cluster.stop());
  }, 30_000);

  afterEach(async () => {
    for (const undo of made.splice(0).reverse()) await undo();
    for (const event of ["unhandledRejection", "uncaughtException"]) process.off(event, note);
    expect(crashes.splice(0)).toEqual([]);
  }, 30_000);

  function poolOn(url: string): pg.Pool {
    const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: 2_000 });
    pool.on("error", () => {});
    made.push(() => pool.end());
    return pool;
  }

  async function startBoss(): Promise<PgBoss10> {
    const boss = new PgBoss10({ connectionString: cluster.url, max: 3 });
    boss.on("error", () => {});
    await boss.start();
    made.push(() => boss.stop({ graceful: false }));
    return boss;
  }

  async function startApp(strike: Strike): Promise<App> {
    const boss = strike.on(await startBoss());
    const ledger = poolOn(cluster.url);
    await ledger.query("CREATE TABLE ledger (event text NOT NULL)");
    const retry = { backoffMs: 50, maxBackoffMs: 500 };
    const inbox = pgBossInbox(boss, { pool: poolOn(cluster.url), queue: "bluum", lockMs: 1_000, retry });
    const { receiver } = receiving({ namespace: "app", inbox, leaseMs: 1_000 });
    const seen = new Set<string>();
    receiver.on("order.filled", ({ id }, context) =>
      inbox.store.transaction(context, ledger, async (client) => {
        await client.query("INSERT INTO ledger VALUES ($1)", [id]);
        strike.onBooking(id);
      }),
    );
    receiver.on("order.filled", ({ id }) => void seen.add(id));
    receiver.work({ concurrency: SENDERS, pollMs: 100 });
    made.push(() => receiver.close({ timeoutMs: 5_000 }));
    return { receiver, inbox, seen };
  }

  it.each(MOMENTS)(
    "loses no event and books none twice: %s",
    async (moment) => {
      const onStandby = poolOn(cluster.standby.url);
      const strike = new Strike(cluster, moment, onStandby);
      const { receiver, inbox, seen } = await startApp(strike);
      const events = Array.from({ length: EVENTS }, () => anEvent());
      const answers = await deliverAll(receiver, events);
      await vi.waitFor(() => expect(strike.failedOver).toBeDefined(), { timeout: 20_000 });
      await strike.failedOver;
      expectStruck(moment, answers.get(strike.event) ?? []);
      expectAnswers([...answers.values()].flat(), strike.at);

      const idle = { waiting: 0, delayed: 0, active: 0, parked: 0 };
      await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject(idle), { timeout: 30_000, interval: 100 });
      const ids = events.map((event) => event.event_id).sort();
      const { rows } = await onStandby.query('SELECT event FROM ledger ORDER BY event COLLATE "C"');
      expect(rows.map(({ event }) => event)).toEqual(ids);
      expect([...seen].sort()).toEqual(ids);
    },
    60_000,
  );
});

/** Delivers events, some at once, each until it is accepted. Returns the answers to each. */
async function deliverAll(receiver: Receiver, events: ReturnType<typeof anEvent>[]): Promise<Map<string, Answer[]>> {
  const waiting = [...events];
  const answers = new Map<string, Answer[]>();
  async function send(): Promise<void> {
    for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
      answers.set(event.event_id, await deliver(receiver, signed(event)));
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, send));
  return answers;
}

/** What the delivery of the event in question was answered at first, and at last. */
function expectStruck(moment: Moment, answers: readonly Answer[]): void {
  const received = { status: 200, body: '{"received":true}' };
  const duplicate = { status: 200, body: '{"received":true,"duplicate":true}' };
  const unavailable = { status: 503, body: '{"error":{"code":"inbox_unavailable"}}' };
  const expected = {
    "before the COMMIT of an add": [unavailable, received],
    "after the COMMIT of an add, whose answer is lost": [unavailable, duplicate],
    "after the COMMIT of a booking, whose answer is lost": [received, received],
  };
  expect([answers[0], answers.at(-1)]).toMatchObject(expected[moment]);
}

function expectAnswers(all: readonly Answer[], crashedAt: number): void {
  const accepted = all.filter(({ status }) => status === 200);
  expect(accepted).toHaveLength(EVENTS);
  expect(accepted.filter(({ answeredAt }) => answeredAt < crashedAt).length).toBeGreaterThan(STRUCK / 2);
  const refused = all.filter((answer) => !accepted.includes(answer));
  for (const { status, body } of refused) {
    expect(status).toBe(503);
    expect(body).toMatch(/inbox_unavailable|event_in_flight/);
  }
}
