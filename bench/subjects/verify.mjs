// Verify and parse: the floor, ours with each scheme, and the rivals, over sizes and texts.

import { bodyOf } from "../material/bodies.mjs";
import { verifyAndParse } from "../material/floor.mjs";
import { SCHEMES } from "../material/ours.mjs";
import { RIVALS } from "../material/rivals.mjs";
import { SIGNED } from "../material/signatures.mjs";
import { takeTurns } from "../measure/turns.mjs";

const SIZES = [
  { name: "300 B", size: 300, bodies: 64, toFloor: 0.8, toRival: 1.5 },
  { name: "2 KB", size: 2_048, bodies: 64, toFloor: 0.95, toRival: 1.15 },
  { name: "64 KB", size: 65_536, bodies: 8, toFloor: 1.02 },
  { name: "1 MB", size: 1_048_576, bodies: 2, toFloor: 1.02 },
];
const TEXTS = { ascii: "ASCII", beyond: "not ASCII" };

export async function measure(effort) {
  const rows = [];
  for (const size of SIZES) for (const text of Object.keys(TEXTS)) rows.push(...(await oneGroup(size, text, effort)));
  return rows;
}

async function oneGroup({ name, size, bodies, toFloor, toRival }, text, { rounds, sliceMs }) {
  const group = `verify + parse, ${name}, ${TEXTS[text]}`;
  const all = Array.from({ length: bodies }, () => bodyOf(size, text));
  const goal = { figure: "wall ratio", atMost: toFloor };
  const candidates = [
    floor("floor", all),
    floor("floor again (A/A)", all),
    ...SCHEMES.map((scheme) => ({ ...candidate(scheme, all), goal })),
    ...RIVALS.map((rival) => candidate(rival, all)),
  ];
  const rows = await takeTurns(group, candidates, { rounds, sliceMs });
  return [...rows, comparison(group, rows, toRival)];
}

function floor(name, bodies) {
  const deliveries = bodies.map((body) => ({ body, signature: SIGNED.bluum(body)["x-bluum-signature"] }));
  function run(count) {
    for (let nth = 0; nth < count; nth++) {
      const { body, signature } = deliveries[nth % deliveries.length];
      verifyAndParse(body, signature);
    }
  }
  return { name, run };
}

/** Only what is asynchronous is awaited. */
function candidate({ name, signed, verify }, bodies) {
  const deliveries = bodies.map((body) => ({ body, headers: SIGNED[signed](body) }));
  const next = (nth) => {
    const { body, headers } = deliveries[nth % deliveries.length];
    return verify(body, headers);
  };
  const isAsync = next(0) instanceof Promise;
  async function runAsync(count) {
    for (let nth = 0; nth < count; nth++) await next(nth);
  }
  function run(count) {
    for (let nth = 0; nth < count; nth++) next(nth);
  }
  return { name, run: isAsync ? runAsync : run };
}

/** The rival that does best in this group, to the default scheme. */
function comparison(group, rows, toRival) {
  const ratio = (name) => rows.find((row) => row.name === name).figures["wall ratio"];
  const [fastest] = RIVALS.map(({ name }) => ratio(name)).sort((a, b) => a - b);
  return {
    group,
    name: "the fastest rival, to ours",
    figures: { "wall ratio": fastest / ratio(SCHEMES[0].name) },
    ...(toRival === undefined ? {} : { goal: { figure: "wall ratio", atLeast: toRival } }),
  };
}
