// Adapters end to end on loopback: the server and the load in processes of their own, every route in the one server process, taking
// turns. What counts is the server's processor time for a request.
import { ROUTES } from "../adapters/routes.mjs";
import { Child } from "../measure/child.mjs";
import { orderOf, rowsOf } from "../measure/turns.mjs";

const LOADS = [{ connections: 10 }, { connections: 50 }, { connections: 10, awake: true }];
const FRAMEWORKS = [...new Set(ROUTES.map(({ framework }) => framework))];

export async function measure({ requests }) {
  const server = new Child(new URL("../adapters/server.mjs", import.meta.url));
  const load = new Child(new URL("../adapters/load.mjs", import.meta.url));
  const { ports } = await server.answer();
  const routes = ROUTES.map((route, index) => ({ ...route, port: ports[index] }));
  for (const route of routes) await turn(server, load, route, { requests: requests.warm, connections: 10 });

  const rows = [];
  for (const framework of FRAMEWORKS) {
    const members = routes.filter((route) => route.framework === framework);
    for (const terms of LOADS) rows.push(...(await oneGroup(server, load, members, terms, requests)));
  }
  await Promise.all([server.end(), load.end()]);
  return rows;
}

async function oneGroup(server, load, routes, { connections, awake }, { rounds, block }) {
  const turns = routes.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const index of orderOf(routes.length, round)) {
      turns[index].push(await turn(server, load, routes[index], { requests: block, connections, awake }));
    }
  }
  const candidates = routes.map(({ name, atMost }) => ({
    name,
    ...(atMost === undefined ? {} : { goal: { figure: "cpu ratio", atMost } }),
  }));
  const group = `${routes[0].framework}, 2 KB, ${connections} connections${awake ? ", the load kept awake" : ""}`;
  return rowsOf(group, candidates, turns);
}

/** @returns time a request in nanoseconds: the server's processor time, and what passed until the answers were in */
async function turn(server, load, { name, framework, port, signed }, { requests, connections, awake }) {
  await load.ask({ port, signed, requests, connections, awake });
  await server.ask("begin");
  const { wall, statuses } = await load.ask("go");
  const { cpu } = await server.ask("end");
  const refused = Object.keys(statuses).find((status) => !status.startsWith("2"));
  if (refused !== undefined) throw new Error(`${framework}, ${name}: answered ${refused}`);
  return { wall: wall / requests, cpu: (cpu * 1_000) / requests };
}
