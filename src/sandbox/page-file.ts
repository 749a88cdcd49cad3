import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

/** The page beside the bundle, and where this file is run from its source. */
const PLACES = ["./sandbox/page.html", "../../dist/src/sandbox/page.html"];

/** The inspector page, and the policy under which a browser shows it. */
export interface PageFile {
  readonly html: string;
  readonly policy: string;
}

/** Reads the page; undefined where it was not built. */
export async function readPage(): Promise<PageFile | undefined> {
  for (const place of PLACES) {
    const html = await readFile(new URL(place, import.meta.url), "utf8").catch(() => undefined);
    if (html !== undefined) return { html, policy: policyOf(html) };
  }
  return undefined;
}

/** Nothing from elsewhere, and no script but the page's own. */
export function policyOf(html: string): string {
  const scripts = [...html.matchAll(/<script\b[^>]*>(.*?)<\/script>/gs)].map(([, code = ""]) => hashOf(code));
  return [
    "default-src 'none'",
    `script-src ${scripts.join(" ") || "'none'"}`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    "font-src data:",
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

function hashOf(code: string): string {
  return `'sha256-${createHash("sha256").update(code, "utf8").digest("base64")}'`;
}
