// The versions that the tests ran with: docs/reference/compatibility.json, and the table in compatibility.md that is made of it.
import { readFileSync, writeFileSync } from "node:fs";
import { COMPILERS } from "./consumers.mjs";
import { installedVersion } from "./folder.mjs";
import { FRAMEWORKS } from "./frameworks.mjs";
import { RUNTIMES } from "./pins.mjs";

export const RECORD = "docs/reference/compatibility.json";
const PAGE = "docs/reference/compatibility.md";
const MARK = "<!-- test: compatibility -->\n";

/** The record to be written once all tests have passed. */
export function compatibility() {
  return {
    frameworks: FRAMEWORKS.map(({ name, package: folder, door }) => ({
      name,
      version: installedVersion(folder),
      door,
    })),
    runtimes: RUNTIMES.map(({ name, version, doors }) => ({ name, version, doors })),
    typescript: COMPILERS.map((name) => ({ name: "TypeScript", version: installedVersion(name) })),
  };
}

/** The table of a record. */
export function tableOf({ frameworks, runtimes, typescript }) {
  const rows = [
    ...frameworks.map(({ name, version, door }) => [name, version, `\`${door}\``]),
    ...runtimes.map(({ name, version, doors }) => [name, version, doors]),
    ...typescript.map(({ name, version }) => [name, version, "`nodenext` and `bundler` resolution"]),
  ];
  const head = ["framework or runtime", "version that it was run on", "mounted by"];
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`);
  return lines.join("");
}

/** The table that stands in the page now. */
export function tableInPage() {
  const [, behind = ""] = readFileSync(PAGE, "utf8").split(MARK);
  return behind.slice(0, behind.indexOf("\n\n") + 1);
}

/**
 * Writes the record, or checks it.
 *
 * @param write whether to record it
 * @returns the outdated entries, one line each
 */
export function record(write) {
  const now = compatibility();
  const text = `${JSON.stringify(now, undefined, 2)}\n`;
  if (write) {
    writeFileSync(RECORD, text);
    const page = readFileSync(PAGE, "utf8");
    writeFileSync(
      PAGE,
      page.replace(MARK + tableInPage(), () => MARK + tableOf(now)),
    );
    return [];
  }
  const stale = [];
  if (readFileSync(RECORD, "utf8") !== text) stale.push(RECORD);
  if (tableInPage() !== tableOf(now)) stale.push(PAGE);
  return stale.map((file) => `${file} does not say what was run: npm run test:runtimes -- --write`);
}
