// What importing a door of the package adds to importing its framework, in processes that have loaded nothing.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { medianOf } from "../measure/median.mjs";
import { orderOf } from "../measure/turns.mjs";

const GROUP = "cold import";
const HERE = fileURLToPath(new URL(".", import.meta.url));
const DOORS = ["express", "koa", "hono"];

export async function measure({ imports }) {
  const rows = [];
  for (const framework of DOORS) rows.push(...(await oneDoor(framework, imports)));
  return rows;
}

async function oneDoor(framework, rounds) {
  const door = `bluum-webhooks/${framework}`;
  const turns = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const index of orderOf(2, round))
      turns[index].push(await milliseconds(index === 0 ? [framework] : [framework, door]));
  }
  const [alone, both] = turns.map(medianOf);
  const added = medianOf(turns[1].map((ms, round) => ms - turns[0][round]));
  return [
    { group: GROUP, name: framework, figures: { ms: alone, ratio: 1 } },
    {
      group: GROUP,
      name: `${framework} and ${door}`,
      figures: { ms: both, ratio: both / alone, "added ms": added },
      goal: { figure: "added ms", atMost: 15 },
    },
  ];
}

async function milliseconds(modules) {
  const program = `const began = performance.now();
${modules.map((name) => `await import(${JSON.stringify(name)});`).join("\n")}
process.stdout.write(String(performance.now() - began));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: HERE,
  });
  return Number(stdout);
}
