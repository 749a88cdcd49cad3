// The cost of each store, compared with what its backend can do.
import { measureMemoryStore } from "../stores/memory.mjs";
import { measurePostgresStore } from "../stores/postgres.mjs";
import { measureRedisStore } from "../stores/redis.mjs";
import { measureSqliteStore } from "../stores/sqlite.mjs";

export async function measure(effort) {
  return [
    ...(await measureMemoryStore(effort)),
    ...(await measureRedisStore(effort)),
    ...(await measurePostgresStore(effort)),
    ...(await measureSqliteStore(effort)),
  ];
}
