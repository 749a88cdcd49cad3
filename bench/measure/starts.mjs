// Runs a subject in processes of its own, one after the other, and takes the medians: what the compiler makes of the same code
// differs from one start to the next by up to a fifth.
import { Child } from "./child.mjs";
import { medianOf } from "./median.mjs";

const PROCESS = new URL("subject-process.mjs", import.meta.url);

/** @returns the rows of a subject, each figure the median over the starts, with the lowest and the highest as its `spread` */
export async function measureSubject(subject, effort) {
  const starts = [];
  for (let start = 0; start < effort.starts; start++) starts.push(await oneStart(subject, effort));
  return mergedRows(starts).map((row) => ({ subject, ...row }));
}

async function oneStart(subject, effort) {
  const child = new Child(PROCESS, { args: [subject], execArgv: ["--expose-gc"] });
  try {
    return await child.ask(effort);
  } finally {
    await child.end();
  }
}

function mergedRows(starts) {
  return starts[0].map((row, index) => {
    if (row.skipped !== undefined) return row;
    const all = starts.map((rows) => rows[index].figures);
    const figures = {};
    const spread = {};
    for (const label of Object.keys(row.figures)) {
      const values = all.map((each) => each[label]).sort((a, b) => a - b);
      figures[label] = medianOf(values);
      spread[label] = [values[0], values.at(-1)];
    }
    return { ...row, figures, spread };
  });
}
