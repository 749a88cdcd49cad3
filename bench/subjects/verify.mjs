// Verify and parse: the floor, ours, and the rivals, over sizes and texts; and the other schemes, each in a process of its own.
import { SCHEMES } from "../material/ours.mjs";
import { RIVALS } from "../material/rivals.mjs";
import { Child } from "../measure/child.mjs";
import { takeTurns } from "../measure/turns.mjs";
import { candidate, floor } from "../verify/candidates.mjs";
import { bodiesToVerify } from "../verify/sizes.mjs";

const PROCESS = new URL("../verify/scheme-process.mjs", import.meta.url);
const [DEFAULT, ...OTHERS] = SCHEMES;

export async function measure(effort) {
  const rows = [];
  for (const bodies of bodiesToVerify()) rows.push(...(await oneGroup(bodies, effort)));
  for (const { name } of OTHERS) rows.push(...(await inProcess(name, effort)));
  return rows;
}

async function oneGroup({ group, bodies, toFloor, toRival }, { rounds, sliceMs }) {
  const candidates = [
    floor("floor", bodies),
    floor("floor again (A/A)", bodies),
    { ...candidate(DEFAULT, bodies), goal: { figure: "wall ratio", atMost: toFloor } },
    ...RIVALS.map((rival) => candidate(rival, bodies)),
  ];
  const rows = await takeTurns(group, candidates, { rounds, sliceMs });
  return [...rows, comparison(group, rows, toRival)];
}

/** The rival that does best in this group, to the default scheme. */
function comparison(group, rows, toRival) {
  const ratio = (name) => rows.find((row) => row.name === name).figures["wall ratio"];
  const [fastest] = RIVALS.map(({ name }) => ratio(name)).sort((a, b) => a - b);
  return {
    group,
    name: "the fastest rival, to ours",
    figures: { "wall ratio": fastest / ratio(DEFAULT.name) },
    ...(toRival === undefined ? {} : { goal: { figure: "wall ratio", atLeast: toRival } }),
  };
}

async function inProcess(scheme, effort) {
  const child = new Child(PROCESS, { args: [scheme] });
  try {
    return await child.ask(effort);
  } finally {
    await child.end();
  }
}
