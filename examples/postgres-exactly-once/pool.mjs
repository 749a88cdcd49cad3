import pg from "pg";

/** For the handlers and their transactions. */
export const pool = connect(10);

/** For the store alone, so that its renewals never wait for a handler. */
export const storePool = connect(4);

function connect(max) {
  const made = new pg.Pool({ connectionString: process.env.DATABASE_URL, max, connectionTimeoutMillis: 5_000 });
  // Without a listener, an idle connection that breaks ends the process.
  made.on("error", (error) => console.error(`a connection to the database broke: ${error.message}`));
  return made;
}
