import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import pg from "pg";
import { canStartPostgres, startPostgres } from "../services/postgres.ts";
import { canStartRedis, startRedis } from "../services/redis.ts";
import type { EffectRow } from "./evidence.ts";
import { backendOf, type Mode, type TimedFault } from "./plan.ts";

/** The server, or the file, of a store or an inbox, made for one storm. */
export interface Backend {
  readonly address: string;
  /** The faults that can strike it. Each resolves once it is over. */
  readonly faults: Partial<Readonly<Record<TimedFault["act"], (forMs: number) => Promise<void>>>>;
  /** The effects that were committed together with completions. */
  rows(): Promise<EffectRow[]>;
  stop(): Promise<void>;
}

const EFFECTS_TABLE =
  "CREATE TABLE storm_effects (event_id text NOT NULL, receiver text NOT NULL, happened_at double precision NOT NULL)";
const ALL_EFFECTS = "SELECT event_id, receiver, happened_at FROM storm_effects";
const CUT_ALL =
  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";

/** Whether this machine can have a server of the storm's own. In CI it is a failure where not. */
export async function canOpen(mode: Mode): Promise<boolean> {
  const kind = backendOf(mode);
  if (kind === "redis") return canStartRedis();
  return kind === "sqlite" || canStartPostgres();
}

/** Starts a server, or makes a file, of the storm's own. */
export function openBackend(mode: Mode, directory: string): Promise<Backend> {
  const kind = backendOf(mode);
  if (kind === "redis") return openRedis();
  return kind === "postgres" ? openPostgres() : openSqlite(join(directory, "storm.db"));
}

async function openRedis(): Promise<Backend> {
  // Without this a Redis forgets completions at a restart; the storm tests the store, not that setting.
  const server = await startRedis("--appendonly", "yes", "--appendfsync", "always");
  return {
    address: server.url,
    faults: {
      async cut() {
        const client = new Redis(server.url, { retryStrategy: null, maxRetriesPerRequest: 0 });
        client.on("error", () => {});
        await client.call("CLIENT", "KILL", "TYPE", "normal").catch(() => {});
        client.disconnect();
      },
      async restart(forMs) {
        await server.kill();
        await pause(forMs);
        await server.restart();
      },
      hang: (forMs) => hang(server, forMs),
    },
    rows: async () => [],
    stop: () => server.stop(),
  };
}

async function openPostgres(): Promise<Backend> {
  // Only processes are killed, not the machine: what the kernel has is kept.
  const server = await startPostgres("fsync=off");
  const ask = (statement: string) => askOnce(server.url, statement);
  await ask(EFFECTS_TABLE);
  return {
    address: server.url,
    faults: {
      cut: async () => void (await ask(CUT_ALL).catch(() => {})),
      async restart(forMs) {
        await server.kill();
        await pause(forMs);
        await server.start();
      },
      hang: (forMs) => hang(server, forMs),
    },
    rows: async () => (await ask(ALL_EFFECTS)).map(rowOf),
    stop: () => server.stop(),
  };
}

async function askOnce(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, query_timeout: 20_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    return (await client.query(statement)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

async function hang(server: { freeze(): void; thaw(): void }, forMs: number): Promise<void> {
  server.freeze();
  await pause(forMs);
  server.thaw();
}

interface Sqlite {
  exec(text: string): unknown;
  prepare(text: string): { all(): unknown[] };
  close(): unknown;
}

async function openSqlite(file: string): Promise<Backend> {
  const Database = createRequire(import.meta.url)("libsql") as new (file: string) => Sqlite;
  const database = new Database(file);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA busy_timeout = 0");
  database.exec(EFFECTS_TABLE);
  return {
    address: file,
    faults: {
      async lock(forMs) {
        await insist(() => database.exec("BEGIN EXCLUSIVE"));
        await pause(forMs);
        database.exec("COMMIT");
      },
    },
    rows: async () => database.prepare(ALL_EFFECTS).all().map(rowOf),
    stop: async () => void database.close(),
  };
}

/** Other connections hold the lock most of the time, for a moment each. */
async function insist(attempt: () => void): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return attempt();
    } catch (error) {
      if (tries === 1_000) throw error;
      await pause(2);
    }
  }
}

function rowOf(row: unknown): EffectRow {
  const { event_id, receiver, happened_at } = row as { event_id: string; receiver: string; happened_at: number };
  return { eventId: event_id, receiver, happenedAt: happened_at };
}
