import { readdirSync } from "node:fs";
import { ROOT } from "./markdown.ts";

/** The pages of `docs`, at any depth, as paths from the root. */
export function documentationPages(root: string = ROOT): string[] {
  return readdirSync(`${root}docs`, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name.replaceAll("\\", "/")}`)
    .sort();
}
