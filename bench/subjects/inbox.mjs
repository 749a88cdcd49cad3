// The inbox: what accepting costs beside the same by hand, what slow handlers do to it, a burst, the worker, and how all that grows.
import { measureAcceptingOnPostgres } from "../inbox/accept-postgres.mjs";
import { measureAcceptingOnRedis } from "../inbox/accept-redis.mjs";
import { measureAcceptingOnSqlite } from "../inbox/accept-sqlite.mjs";
import { measureAcknowledgement, measureBurst } from "../inbox/arrivals.mjs";
import { measureGrowth } from "../inbox/growth.mjs";
import { measureWorker } from "../inbox/worker.mjs";

export async function measure(effort) {
  return [
    ...(await measureAcceptingOnSqlite(effort)),
    ...(await measureAcceptingOnPostgres(effort)),
    ...(await measureAcceptingOnRedis(effort)),
    ...(await measureAcknowledgement(effort)),
    ...(await measureBurst(effort)),
    ...(await measureWorker(effort)),
    ...(await measureGrowth(effort)),
  ];
}
