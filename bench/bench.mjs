// npm run bench [-- --only verify,receive,adapters,stores,inbox,scale,start] [--quick | --tiny] [--json] [--out <folder>]
// Measures the built package, a minimal baseline (the floor) and rival packages. Prints tables, and writes them and plots to bench/results/.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { optionsOf, SUBJECTS } from "./measure/options.mjs";
import { measureSubject } from "./measure/starts.mjs";
import { circumstances } from "./report/circumstances.mjs";
import { markdownOf } from "./report/markdown.mjs";
import { plotsOf } from "./report/plot.mjs";
import { summaryOf, tablesOf } from "./report/table.mjs";

const { only, effort, json, out } = optionsOf(process.argv.slice(2));
const folder = out ?? (effort.keeps ? fileURLToPath(new URL("results", import.meta.url)) : undefined);

const report = { ...circumstances(effort.name), rows: [] };
if (!json) process.stdout.write(`${report.machine}, Node ${report.node}, ${report.effort} run\n`);
for (const subject of SUBJECTS.filter((name) => only.includes(name))) {
  process.stderr.write(`measuring ${subject} ...\n`);
  const rows = await measureSubject(subject, effort);
  report.rows.push(...rows);
  if (!json) process.stdout.write(tablesOf(rows));
}
process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : summaryOf(report.rows));
if (folder !== undefined) write(folder);

function write(folder) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "latest.json"), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(folder, "tables.md"), markdownOf(report));
  for (const [name, svg] of plotsOf(report.rows)) writeFileSync(join(folder, `${name}.svg`), svg);
}
