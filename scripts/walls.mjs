// The allowed imports between rooms, as one table. Writes biome.walls.json, which biome.json extends: run it after changing the table.
import { writeFileSync } from "node:fs";

/** Files at the top of src that every room may import. They import only each other. */
const GROUND = ["async", "delivery", "errors", "options"];

/** The rooms that each room may import. All others are forbidden, also for type imports. */
export const ROOMS = {
  schemes: [],
  stores: [],
  page: [],
  bluum: ["schemes"],
  events: ["bluum"],
  router: ["events", "bluum"],
  inbox: ["stores", "events", "bluum"],
  telemetry: ["events", "bluum"],
  pipeline: ["inbox", "telemetry", "router", "stores", "schemes", "events", "bluum"],
  client: ["events", "bluum"],
  testing: ["index", "inbox", "stores", "schemes", "events", "bluum"],
  sandbox: ["index", "testing", "page", "inbox", "stores", "schemes", "events", "bluum"],
  cli: ["index", "sandbox", "testing", "client", "page", "inbox", "stores", "schemes", "events", "bluum"],
};

const MESSAGE = "rooms depend one way: see scripts/walls.mjs";

function wall(includes, forbidden, extra = []) {
  const patterns = forbidden.length > 0 ? [{ group: forbidden, message: MESSAGE }, ...extra] : extra;
  const noRestrictedImports = { level: "error", options: { patterns } };
  return { includes, linter: { rules: { style: { noRestrictedImports } } } };
}

function forbiddenIn(room) {
  const others = Object.keys(ROOMS).filter((name) => name !== room && !ROOMS[room].includes(name));
  const doors = ROOMS[room].includes("index") ? [] : ["../**/src/index.ts", "../index.ts", "../../index.ts"];
  return [...others.map((name) => `../**/${name}/**`), ...doors, "../**/adapters/**"];
}

const DOORS = ["../src/index.ts", "../src/adapter.ts", "../../src/index.ts", "../../src/adapter.ts"];
const family = { group: ["../src/**", "../../src/**", ...DOORS.map((door) => `!${door}`)], message: MESSAGE };
const noRawBody = {
  group: ["raw-body", "./node.ts", "./node/**", "../node.ts", "../node/**"],
  message: "the fetch family and Lambda never load raw-body",
};

/** The walls, as overrides of biome.json. */
const walls = [
  wall(
    GROUND.map((file) => `src/${file}.ts`),
    Object.keys(ROOMS).map((name) => `./${name}/**`),
  ),
  ...Object.keys(ROOMS).map((room) => wall([`src/${room}/**`], forbiddenIn(room))),
  // Of the room inbox only its page, which no receiving door loads, may import what pages share.
  wall(
    ["src/inbox/page.ts", "src/inbox/page/**"],
    forbiddenIn("inbox").filter((pattern) => pattern !== "../**/page/**"),
  ),
  wall(["adapters/**"], [], [family]),
  wall(["adapters/{fetch,hono,lambda}.ts", "adapters/{fetch,hono}/**"], [], [family, noRawBody]),
];

/** The text of biome.walls.json: one wall per line. */
export const generated = `{ "overrides": [\n${walls.map((each) => JSON.stringify(each)).join(",\n")}\n] }\n`;

if (process.argv[1] === import.meta.filename) writeFileSync("biome.walls.json", generated);
