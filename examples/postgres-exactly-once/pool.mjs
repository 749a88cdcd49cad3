import pg from "pg";

/** The connections to the database of DATABASE_URL. */
export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 5_000 });

// Connections break. What waits for one hears of it anyway; without these listeners the process would end besides.
const broken = (error) => console.error(`a connection to the database broke: ${error.message}`);
pool.on("error", broken);
pool.on("connect", (client) => client.on("error", broken));

/** Runs `work` in a transaction of its own: committed when it returns, rolled back when it throws. */
export async function transaction(work) {
  const client = await pool.connect();
  let unusable;
  try {
    await client.query("BEGIN");
    await work(client);
    await client.query("COMMIT");
  } catch (error) {
    unusable = await client.query("ROLLBACK").then(
      () => undefined,
      (failure) => failure,
    );
    throw error;
  } finally {
    client.release(unusable);
  }
}
