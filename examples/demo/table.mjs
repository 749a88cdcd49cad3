// The demo's table: plain text, coloured only on a terminal.
import { styleText } from "node:util";

const COLUMNS = ["what was sent", "answer", "code or body", "what the app did"];

/**
 * A row on an attempt of a delivery, if there was one, and on what the app did then; `wrong` tells what was expected where something
 * else came.
 */
export function rowOf(sent, attempt, did, expected) {
  const body = attempt?.answer?.body.text ?? "{}";
  const said = attempt ? (JSON.parse(body).error?.code ?? body) : "";
  const row = { sent, status: attempt?.status ?? "", said, did };
  const differs = Object.keys(expected).some((field) => row[field] !== expected[field]);
  return { ...row, wrong: differs ? Object.values(expected).join(", ") : undefined };
}

/** What was done, each thing once. */
export function countedOf(things) {
  const counts = new Map();
  for (const thing of things) counts.set(thing, (counts.get(thing) ?? 0) + 1);
  return [...counts].map(([thing, count]) => (count > 1 ? `${thing} ${count} times` : thing)).join(", ") || "nothing";
}

/** Prints rows in columns. */
export function printTable(rows) {
  const cells = rows.map(({ sent, status, said, did }) => [sent, String(status), said, did]);
  const widths = COLUMNS.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column].length)));
  const line = (row) => row.map((cell, column) => cell.padEnd(widths[column])).join("  ");
  print(paint("bold", line(COLUMNS).trimEnd()));
  print(widths.map((width) => "-".repeat(width)).join("  "));
  for (const [index, row] of rows.entries()) {
    print(paint(colourOf(row), line(cells[index]).trimEnd()));
    if (row.wrong) print(paint("red", `  ^ expected ${row.wrong}`));
  }
}

/** Prints one line. */
export function print(text = "") {
  process.stdout.write(`${text}\n`);
}

/** Colours a text where somebody sees colours. */
export function paint(style, text) {
  return process.stdout.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text;
}

function colourOf({ status, wrong }) {
  if (wrong) return "red";
  return status === "" || status < 300 ? "green" : "yellow";
}
