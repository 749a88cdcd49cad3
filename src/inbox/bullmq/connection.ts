/** The same test as BullMQ's: a client, not the options of one. */
export function isClient(connection: object): boolean {
  const found = connection as Record<string, unknown>;
  return ["connect", "disconnect", "duplicate"].every((name) => typeof found[name] === "function");
}

/** A `connection` for BullMQ, and how to keep it from reconnecting. */
export interface EndableConnection {
  readonly connection: object;
  /** From now on a lost connection is not opened again. Otherwise BullMQ's connections would reconnect without end, even once they are closed. */
  end(): void;
}

type RetryStrategy = (times: number) => unknown;

/** Makes the connections from these options endable. A client is the user's: it is left as it is. */
export function endable(connection: object): EndableConnection {
  if (isClient(connection)) return { connection, end: () => {} };
  const { retryStrategy = bullmqPause } = connection as { retryStrategy?: RetryStrategy };
  let ended = false;
  return {
    connection: { ...connection, retryStrategy: (times: number) => (ended ? null : retryStrategy(times)) },
    end: () => {
      ended = true;
    },
  };
}

/** BullMQ's own default. */
function bullmqPause(times: number): number {
  return Math.max(Math.min(Math.exp(times), 20_000), 1_000);
}
