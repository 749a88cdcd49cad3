// Events a second, of candidates that take turns. The first is what the others are measured against, where it is there.
import { medianOf } from "../measure/median.mjs";
import { orderOf } from "../measure/turns.mjs";

/**
 * @param candidates `{ name, run, goal?, figures? }`; `run` gives `{ rate, cpu? }`: events a second, and this process's own
 *   nanoseconds an event
 * @param baseline why there is nothing to measure against, or undefined where the first candidate is that
 */
export async function ratesOf(group, candidates, rounds, baseline) {
  const turns = candidates.map(() => []);
  if (rounds > 1) for (const { run } of candidates) await run();
  for (let round = 0; round < rounds; round++) {
    for (const index of orderOf(candidates.length, round)) turns[index].push(await candidates[index].run());
  }
  const rows = candidates.map(({ name, goal, figures = {} }, index) => ({
    group,
    name,
    figures: { ...rateFigures(turns[index], baseline === undefined ? turns[0] : undefined), ...figures },
    ...(goal === undefined || (baseline !== undefined && goal.figure === "ratio") ? {} : { goal }),
  }));
  return baseline === undefined ? rows : [{ group, name: "what it is measured against", skipped: baseline }, ...rows];
}

function rateFigures(turns, baseline) {
  const cpus = turns.flatMap(({ cpu }) => cpu ?? []);
  return {
    "events/s": medianOf(turns.map(({ rate }) => rate)),
    ...(baseline ? { ratio: medianOf(turns.map(({ rate }, round) => rate / baseline[round].rate)) } : {}),
    ...(cpus.length > 0 ? { "cpu ns": medianOf(cpus) } : {}),
  };
}

/** Times something that brings `events` events through, in this process. */
export async function rateOf(events, run) {
  const cpu = process.cpuUsage();
  const started = process.hrtime.bigint();
  await run();
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  return { rate: events / seconds, cpu: ((user + system) * 1_000) / events };
}
