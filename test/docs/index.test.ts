import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { relativeLinks } from "./links.ts";
import { headings, readText } from "./markdown.ts";
import { documentationPages } from "./pages.ts";

const INDEX = "docs/README.md";
const pages = documentationPages().filter((page) => page !== INDEX);

describe("the index of the documentation", () => {
  const linked = relativeLinks(readText(INDEX)).map((target) => posix.join("docs", target));

  it("links every page once", () => {
    expect(linked.filter((page) => page.startsWith("docs/")).sort()).toEqual(pages);
  });

  it("has a group for each folder, in which its pages stand", () => {
    expect(headings(INDEX, 2)).toEqual(["Start", "Guides", "Reference", "Background"]);
    const groups = readText(INDEX).split("\n## ").slice(1);
    for (const group of groups) {
      const [name = ""] = group.split("\n");
      const folders = relativeLinks(group).map((target) => target.split("/")[0]);
      expect(new Set(folders)).toEqual(new Set([name.toLowerCase()]));
    }
  });
});

/** It is made of the help texts. */
const GENERATED = "docs/reference/command-line.md";

describe("the length of a page", () => {
  it.each(pages.filter((page) => page !== GENERATED))("%s has at most 1,200 words, without its code", (page) => {
    expect(wordsOf(page)).toBeLessThanOrEqual(1_200);
  });
});

function wordsOf(page: string): number {
  const prose = readText(page).replace(/^```.*?^```$/gms, "");
  return prose.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}
