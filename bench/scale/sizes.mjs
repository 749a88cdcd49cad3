// The same work at several sizes, taking turns; the smallest is what the others are measured against.
import { medianOf } from "../measure/median.mjs";
import { medianRatio, orderOf } from "../measure/turns.mjs";

/**
 * @param plot `{ name, x }`: the file of the plot and what its abscissa is
 * @param members `{ at, run }`: the size, and one turn, which gives `{ wall, cpu? }` in nanoseconds an event
 */
export async function overSizes(group, plot, members, rounds) {
  const turns = members.map(() => []);
  if (rounds > 1) for (const { run } of members) await run();
  for (let round = 0; round < rounds; round++) {
    for (const index of orderOf(members.length, round)) turns[index].push(await members[index].run());
  }
  return members.map(({ at }, index) => ({
    group,
    name: at.toLocaleString("en-US"),
    figures: {
      "wall ns": medianOf(turns[index].map(({ wall }) => wall)),
      "wall ratio": medianRatio(turns[index], turns[0], "wall"),
    },
    plot: { ...plot, at, figure: "wall ns" },
  }));
}

/** One turn in this process: `run` brings `count` events through. */
export async function turnOf(count, run) {
  const started = process.hrtime.bigint();
  await run();
  return { wall: Number(process.hrtime.bigint() - started) / count };
}
