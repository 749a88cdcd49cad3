// Prints rows as aligned text, one table per group, each goal next to its figure.
import { figureText, goalText, isMet, labelsOf } from "./figures.mjs";

/** All tables of some rows. */
export function tablesOf(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  return [...groups].map(([group, members]) => `\n${group}\n${tableOf(members)}`).join("");
}

/** The missed goals, the worst first. */
export function summaryOf(rows) {
  const judged = rows.filter((row) => row.goal !== undefined && row.skipped === undefined);
  const missed = judged.filter((row) => !isMet(row)).map((row) => ({ row, off: offOf(row) }));
  const lines = missed
    .sort((a, b) => b.off - a.off)
    .map(
      ({ row }) =>
        `  ${row.group}: ${row.name}: ${figureText(row.figures[row.goal.figure])}, goal ${goalText(row.goal)}`,
    );
  return `\n${judged.length - missed.length} of ${judged.length} goals met${lines.length > 0 ? "; missed, the furthest first:\n" : ""}${lines.join("\n")}\n`;
}

function offOf({ goal, figures }) {
  const figure = figures[goal.figure];
  return goal.atMost === undefined ? goal.atLeast / figure : figure / goal.atMost;
}

function tableOf(rows) {
  const labels = labelsOf(rows);
  const cells = rows.map((row) => {
    if (row.skipped !== undefined) return [row.name, `skipped: ${row.skipped}`];
    const goal = row.goal === undefined ? "" : `${goalText(row.goal)} ${isMet(row) ? "met" : "MISSED"}`;
    return [row.name, ...labels.map((label) => figureText(row.figures[label])), goal];
  });
  const lines = [["", ...labels, "goal"], ...cells];
  const complete = lines.filter((line) => line.length > 2);
  const widths = lines[0].map((_, column) => Math.max(...complete.map((line) => line[column].length)));
  widths[0] = Math.max(...lines.map(([name]) => name.length));
  return lines
    .map(
      (line) =>
        `  ${line
          .map((cell, column) => padded(cell, column, widths))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function padded(cell, column, widths) {
  const isNumber = column > 0 && column < widths.length - 1 && !cell.startsWith("skipped");
  return isNumber ? cell.padStart(widths[column]) : cell.padEnd(widths[column]);
}
