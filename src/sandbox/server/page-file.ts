import { readFile } from "node:fs/promises";

/** Where the page is: relative to the bundle, and relative to this source file. */
const PLACES = ["./sandbox/page.html", "../../../dist/src/sandbox/page.html"];

/** Reads the inspector page; undefined if it was not built. */
export async function readPage(): Promise<string | undefined> {
  for (const place of PLACES) {
    const html = await readFile(new URL(place, import.meta.url), "utf8").catch(() => undefined);
    if (html !== undefined) return html;
  }
  return undefined;
}
