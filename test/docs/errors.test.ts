import { describe, expect, it } from "vitest";
import { refusal } from "../../src/adapter.ts";
import type { WebhookErrorCode } from "../../src/index.ts";
import { codeWords, headings, readText, tableOf, unionMembers } from "./markdown.ts";

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
    expect(headings(PAGE, 3)).toHaveLength(rejections.length + usages.length);
    expect(headings(PAGE, 3).sort()).toEqual([...rejections, ...usages].sort());
  });

  it.each(rejections)("gives the answer for %s", (code) => {
    const { status, headers } = refusal(code as WebhookErrorCode);
    const [, section = ""] = readText(PAGE).split(`\n### ${code}\n`);
    const [answer = ""] = section.trimStart().split("\n");
    expect(Number(/^Answer: (\d{3})\b/.exec(answer)?.[1])).toBe(status);
    expect(answer.includes("Retry-After")).toBe("retry-after" in headers);
  });
});

describe("the answers table", () => {
  const rows = tableOf(PAGE, "answers").flatMap(([, status = "", codes = ""]) =>
    codeWords(codes).map((code) => ({ code: code as WebhookErrorCode, status })),
  );

  it("lists every code that a provider can be told, once", () => {
    const codes = unionMembers("src/errors.ts", "RejectionCode");
    expect(codes).toContain("signature_missing");
    expect(rows.map(({ code }) => code).sort()).toEqual(codes.sort());
  });

  it.each(rows)("tells the status and the headers of $code", ({ code, status }) => {
    const { status: answered, headers } = refusal(code);
    const named = { "retry-after": status.includes("Retry-After"), allow: status.includes("Allow") };
    expect(Number.parseInt(status, 10)).toBe(answered);
    expect({ "retry-after": "retry-after" in headers, allow: "allow" in headers }).toEqual(named);
  });
});
