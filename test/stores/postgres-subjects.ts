import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import postgres from "postgres";
import {
  type PostgresClient,
  type PostgresStore,
  type PostgresStoreOptions,
  postgresStore,
} from "../../src/stores/postgres.ts";
import type { StoreUnderTest } from "../../src/testing/store-contract.ts";
import { type OwnSchema, ownSchema } from "../services/postgres.ts";

/** A client, and how to end it. */
export interface Opened<Client extends PostgresClient = PostgresClient> {
  readonly client: Client;
  close(): Promise<unknown>;
}

/** A pool of `pg`. */
export function openPool(url: string, config: pg.PoolConfig = {}): Opened<pg.Pool> {
  const client = new pg.Pool({ connectionString: url, max: 10, ...config });
  // As every program has to: connections break, and idle ones have nobody else to tell.
  client.on("error", () => {});
  return { client, close: () => client.end() };
}

/** postgres.js through the adapter of the documentation. */
export function openPostgresJs(url: string): Opened {
  const sql = postgres(url, { max: 10, onnotice: () => {} });
  return { client: adapted(sql), close: () => sql.end() };
}

/** The adapter of the documentation. */
export function adapted(sql: postgres.Sql | postgres.TransactionSql): PostgresClient {
  return { query: async (text, values) => ({ rows: await sql.unsafe(text, values, { prepare: true }) }) };
}

/** A PGlite in memory. */
export async function openPglite(): Promise<Opened<PGlite>> {
  const client = await PGlite.create();
  return { client, close: () => client.close() };
}

/** A store in a schema of its own. */
export interface StoreInSchema<Client extends PostgresClient = PostgresClient> {
  readonly store: PostgresStore;
  readonly schema: string;
  readonly client: Client;
  /** A second store on the same table; through a client of its own if one is given. */
  another(client?: PostgresClient, options?: PostgresStoreOptions): PostgresStore;
  dispose(): Promise<void>;
}

/** Makes a schema, a store in it and its table. */
export async function storeInSchema<Client extends PostgresClient>(
  url: string,
  client: Client,
  options: PostgresStoreOptions = {},
): Promise<StoreInSchema<Client>> {
  return storeIn(await ownSchema(url), client, options);
}

/** The same in a PGlite. */
export async function storeInPglite(
  client: PGlite,
  options: PostgresStoreOptions = {},
): Promise<StoreInSchema<PGlite>> {
  const name = `own_${crypto.randomUUID()}`;
  await client.query(`CREATE SCHEMA "${name}"`);
  const drop = async () => void (await client.query(`DROP SCHEMA "${name}" CASCADE`));
  return storeIn({ name, drop }, client, options);
}

async function storeIn<Client extends PostgresClient>(
  schema: OwnSchema,
  client: Client,
  options: PostgresStoreOptions,
): Promise<StoreInSchema<Client>> {
  const all = { schema: schema.name, ...options };
  const store = postgresStore(client, all);
  await store.migrate();
  return {
    store,
    client,
    schema: schema.name,
    another: (other = client, more = {}) => postgresStore(other, { ...all, ...more }),
    async dispose() {
      await store.close();
      await schema.drop();
    },
  };
}

/** For the contract and the model, whose keys are all their own: two clients on one table. */
export function pairOf(
  url: string,
  open: (url: string) => Opened,
): { create(): Promise<StoreUnderTest>; close(): Promise<void> } {
  let pair: ReturnType<typeof openPair> | undefined;
  return {
    async create() {
      pair ??= openPair(url, open);
      const { store, peer } = await pair;
      return { store, peer };
    },
    async close() {
      await (await pair)?.close();
    },
  };
}

async function openPair(url: string, open: (url: string) => Opened) {
  const [one, other] = [open(url), open(url)];
  // A crowd of claims on a busy machine must not fail for want of time.
  const { store, another, dispose } = await storeInSchema(url, one.client, { timeoutMs: 10_000 });
  return {
    store,
    peer: another(other.client),
    async close() {
      await dispose();
      await Promise.all([one.close(), other.close()]);
    },
  };
}
