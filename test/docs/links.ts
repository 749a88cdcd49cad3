import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";

/**
 * The broken relative links of a Markdown page: to a missing file, or to an anchor without a heading.
 *
 * @param root the folder that the page's path starts from, with a slash at its end
 */
export function brokenLinks(root: string, page: string): string[] {
  return relativeLinks(readFileSync(root + page, "utf8")).filter((target) => !leadsSomewhere(root, page, target));
}

/** The targets of a page's links that are no URLs. */
export function relativeLinks(markdown: string): string[] {
  const text = withoutCode(markdown).replace(/`[^`\n]*`/g, "");
  const links = [/\]\(([^)\s]+)[^)]*\)/g, /^\[[^\]]+\]: *(\S+)/gm, /\b(?:href|src|srcset)="([^"]+)"/g];
  const targets = links.flatMap((link) => [...text.matchAll(link)].map(([, target = ""]) => target));
  return targets.filter((target) => !/^[a-z]+:/i.test(target));
}

/** The anchors that GitHub makes of a page's headings. */
function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutCode(markdown).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = ""]) => {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\s-]/gu, "")
      .replace(/ /g, "-");
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

function leadsSomewhere(root: string, page: string, target: string): boolean {
  const [path = "", anchor] = target.split("#");
  const file = root + (path === "" ? page : posix.join(posix.dirname(page), path));
  if (!existsSync(file)) return false;
  return anchor === undefined || anchorsOf(readFileSync(file, "utf8")).includes(anchor);
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^```.*?^```$/gms, "");
}
