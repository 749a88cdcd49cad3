// A report as Markdown tables, for docs/background/performance.md.
import { figureText, goalText, isMet, labelsOf } from "./figures.mjs";

export function markdownOf({ rows, machine, node, date, effort, commit }) {
  const groups = [...new Set(rows.map(({ group }) => group))];
  const head = `A ${effort} run on ${date.slice(0, 10)}: Node ${node}, ${machine}, at ${commit}.\n`;
  return [
    head,
    ...groups.map((group) =>
      section(
        group,
        rows.filter((row) => row.group === group),
      ),
    ),
  ].join("\n");
}

function section(group, rows) {
  const labels = labelsOf(rows);
  const lines = [
    ["", ...labels, "goal"],
    ["---", ...labels.map(() => "---:"), "---"],
  ];
  for (const row of rows) lines.push(lineOf(row, labels));
  return `### ${group}\n\n${lines.map((line) => `| ${line.join(" | ")} |\n`).join("")}`;
}

function lineOf(row, labels) {
  if (row.skipped !== undefined) return [row.name, ...labels.map(() => ""), `skipped: ${row.skipped}`];
  const goal = row.goal === undefined ? "" : `${goalText(row.goal)}${isMet(row) ? "" : " (missed)"}`;
  return [row.name, ...labels.map((label) => figureWithSpread(row, label)), goal];
}

/** The ratios show how far apart the process starts were. */
function figureWithSpread({ figures, spread }, label) {
  const [low, high] = spread?.[label] ?? [];
  const text = figureText(figures[label]);
  if (!label.endsWith("ratio") || low === undefined || figureText(low) === figureText(high)) return text;
  return `${text} (${figureText(low)} to ${figureText(high)})`;
}
