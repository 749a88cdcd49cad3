import { readFile } from "node:fs/promises";

/**
 * Reads a page that scripts/build-page.mjs has built; undefined if it was not built.
 *
 * @param path in `dist/src`, such as `sandbox/page.html`
 */
export async function readPage(path: string): Promise<string | undefined> {
  // Relative to the bundle, and relative to this source file.
  for (const place of [`./${path}`, `../../../dist/src/${path}`]) {
    const html = await readFile(new URL(place, import.meta.url), "utf8").catch(() => undefined);
    if (html !== undefined) return html;
  }
  return undefined;
}
