import { describe, expect, it } from "vitest";
import { refusal } from "../../src/adapter.ts";
import type { WebhookErrorCode } from "../../src/index.ts";
import { headings, readText, unionMembers } from "./markdown.ts";

const PAGE = "docs/reference/errors.md";
const rejections = unionMembers("src/errors.ts", "RejectionCode");
const usages = [
  ...(readText("src/errors.ts")
    .split("export type UsageCode =")[1]
    ?.split(";\n")[0]
    ?.matchAll(/\| "([^"]+)"/g) ?? []),
].map(([, code = ""]) => code);

describe("docs/reference/errors.md", () => {
  it("has a heading for every code and no other", () => {
    expect(rejections).toContain("signature_missing");
    expect(usages).toContain("claim_lost");
    expect(headings(PAGE, 2)).toHaveLength(rejections.length + usages.length);
    expect(headings(PAGE, 2).sort()).toEqual([...rejections, ...usages].sort());
  });

  it.each(rejections)("gives the answer for %s", (code) => {
    const { status, headers } = refusal(code as WebhookErrorCode);
    const [, section = ""] = readText(PAGE).split(`\n## ${code}\n`);
    const [answer = ""] = section.trimStart().split("\n");
    expect(Number(/^Answer: (\d{3})\b/.exec(answer)?.[1])).toBe(status);
    expect(answer.includes("Retry-After")).toBe("retry-after" in headers);
  });
});
