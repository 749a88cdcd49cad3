import { readFile } from "node:fs/promises";

/** The page beside the bundle, and where this file is run from its source. */
const PLACES = ["./sandbox/page.html", "../../../dist/src/sandbox/page.html"];

/** Reads the inspector page; undefined where it was not built. */
export async function readPage(): Promise<string | undefined> {
  for (const place of PLACES) {
    const html = await readFile(new URL(place, import.meta.url), "utf8").catch(() => undefined);
    if (html !== undefined) return html;
  }
  return undefined;
}
