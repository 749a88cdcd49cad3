// Candidates that do the same work take turns. Each round gives the ratio of each candidate to the first; the result is the median of the
// ratios. So a disturbance of the machine affects all candidates.
import { medianOf } from "./median.mjs";

/** As many as the compiler needs to settle; none where a single round only shows that all of it runs. */
const WARM_ROUNDS = 5;

/**
 * @param candidates `{ name, run(count), goal? }`; the first is what the others are measured against. `run` may give a promise
 * @param terms `rounds`; `sliceMs`, how long a turn should take, or `count`, how often `run` repeats; `beforeRound`, not timed
 * @returns a row for each candidate
 */
export async function takeTurns(group, candidates, { rounds, sliceMs, count, beforeRound = () => {} }) {
  const counts = [];
  for (const { run } of candidates) counts.push(count ?? (await countFor(run, sliceMs)));
  const turns = candidates.map(() => []);
  const warm = rounds === 1 ? 0 : WARM_ROUNDS;
  for (let round = 0; round < rounds + warm; round++) {
    await beforeRound();
    for (const index of orderOf(candidates.length, round)) {
      const turn = await timed(candidates[index].run, counts[index]);
      if (round >= warm) turns[index].push(turn);
    }
  }
  return rowsOf(group, candidates, turns);
}

/** A row for each candidate, of turns `{ wall, cpu }` in nanoseconds that were taken in the same rounds. */
export function rowsOf(group, candidates, turns) {
  return candidates.map(({ name, goal }, index) => ({
    group,
    name,
    figures: {
      "wall ns": medianOf(turns[index].map(({ wall }) => wall)),
      "cpu ns": medianOf(turns[index].map(({ cpu }) => cpu)),
      "wall ratio": medianRatio(turns[index], turns[0], "wall"),
      "cpu ratio": medianRatio(turns[index], turns[0], "cpu"),
    },
    ...(goal === undefined ? {} : { goal }),
  }));
}

/** The median over the rounds of the ratio within each. */
export function medianRatio(turns, baseline, figure) {
  return medianOf(turns.map((turn, round) => turn[figure] / baseline[round][figure]));
}

/** Changes the order of the candidates each round, since one that fills the heap slows down the next. */
export function orderOf(length, round) {
  const order = Array.from({ length }, (_, index) => (index + round) % length);
  return round % 2 === 0 ? order : order.reverse();
}

async function countFor(run, sliceMs) {
  for (let count = 1; ; count *= 2) {
    const { wall } = await timed(run, count);
    const tookMs = (wall * count) / 1e6;
    if (tookMs >= sliceMs / 4) return Math.max(1, Math.round((count * sliceMs) / Math.max(tookMs, 0.001)));
  }
}

async function timed(run, count) {
  const cpu = process.cpuUsage();
  const started = process.hrtime.bigint();
  const pending = run(count);
  if (pending !== undefined) await pending;
  const wall = Number(process.hrtime.bigint() - started);
  const { user, system } = process.cpuUsage(cpu);
  return { wall: wall / count, cpu: ((user + system) * 1_000) / count };
}
