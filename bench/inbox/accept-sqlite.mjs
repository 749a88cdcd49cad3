// Accepting on SQLite end to end: events a second that Express answers 2xx once they are on disk, to a route written by hand.
import { Child } from "../measure/child.mjs";
import { ratesOf } from "../stores/rates.mjs";

/** In the order of the ports of accept-server.mjs. */
const ROUTES = [
  { name: "by hand: verify, one INSERT" },
  { name: "by hand again (A/A)" },
  { name: "ours: handler with an inbox", goal: { figure: "ratio", atLeast: 0.85 } },
];
const CONNECTIONS = [10, 50];

export async function measureAcceptingOnSqlite({ inbox: { accepted, rounds } }) {
  const server = new Child(new URL("accept-server.mjs", import.meta.url));
  const load = new Child(new URL("../adapters/load.mjs", import.meta.url));
  try {
    const { ports } = await server.answer();
    const rows = [];
    for (const connections of CONNECTIONS) {
      const candidates = ROUTES.map(({ name, goal }, index) => ({
        name,
        run: () => turn(server, load, { name, port: ports[index], connections, requests: accepted }),
        ...(connections === 50 ? { goal } : {}),
      }));
      const group = `inbox, accept on SQLite under FULL, Express, 2 KB, ${connections} connections`;
      rows.push(...(await ratesOf(group, candidates, rounds)));
    }
    return rows;
  } finally {
    await Promise.all([server.end(), load.end()]);
  }
}

async function turn(server, load, { name, port, connections, requests }) {
  await load.ask({ port, signed: "bluum", requests, connections });
  await server.ask("begin");
  const { wall, statuses } = await load.ask("go");
  const { cpu } = await server.ask("end");
  const refused = Object.keys(statuses).find((status) => !status.startsWith("2"));
  if (refused !== undefined) throw new Error(`${name}: answered ${refused}`);
  return { rate: (requests * 1e9) / wall, cpu: (cpu * 1_000) / requests };
}
