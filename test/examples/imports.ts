import { readdirSync, readFileSync } from "node:fs";
import { ROOT } from "../docs/markdown.ts";

/** The text of each program of an example. */
export function programsOf(name: string): string[] {
  const folder = `${ROOT}examples/${name}`;
  return readdirSync(folder)
    .filter((file) => file.endsWith(".mjs"))
    .map((file) => readFileSync(`${folder}/${file}`, "utf8"));
}

/** The packages that the programs of an example import, in alphabetical order. */
export function importsOf(name: string): string[] {
  const text = programsOf(name).join("\n");
  const imported = text.matchAll(/(?:from |import\(|^import )"((?!node:|\.)(?:@[^/"]+\/)?[^/"]+)/gm);
  return [...new Set([...imported].map(([, dependency = ""]) => dependency))].toSorted();
}
