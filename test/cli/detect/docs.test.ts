import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../../docs/markdown.ts";
import { fakeTerminal, ran } from "../fake-terminal.ts";
import { captured, hmac, SECONDS, SECRET } from "./captures.ts";

const page = readFileSync(`${ROOT}docs/guides/detect.md`, "utf8");

/** The code block after the comment `test: name`. */
function block(name: string): string {
  return new RegExp(`<!-- test: ${name} -->\n\`\`\`text\n(.*?)\`\`\``, "s").exec(page)?.[1] ?? "";
}

/** A delivery, this many seconds after the first. */
function delivery(afterSeconds: number, event: string, timestamp: string) {
  const ts = String(Number(SECONDS) + afterSeconds);
  const body = JSON.stringify({
    event,
    timestamp,
    data: { id: "ord_x9y8z7a6b5c4d3e2", status: event.slice("order.".length) },
  });
  const signature = hmac("sha256", SECRET, ts, ".", body).toString("hex");
  return captured({ headers: { "X-Bluum-Signature": `t=${ts},v1=${signature}` }, body }).capture;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "detect-docs-"));
  const captures = [
    delivery(0, "order.accepted", "2025-06-15T15:06:35Z"),
    delivery(60, "order.accepted", "2025-06-15T15:06:35Z"),
    delivery(61, "order.filled", "2025-06-15T15:07:39Z"),
  ];
  for (const [n, capture] of captures.entries()) writeFileSync(join(folder, `${n}.json`), JSON.stringify(capture));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function session(secret: string): Promise<string> {
  const { out, err } = await ran(["detect", folder], fakeTerminal({ BLUUM_WEBHOOK_SECRET: secret }));
  return `$ bluum-webhooks detect captures\n${out}${err}`;
}

describe("docs/guides/detect.md", () => {
  it("shows the output of a session", async () => {
    expect(await session(SECRET)).toBe(block("found"));
  });

  it("shows the output with a wrong secret", async () => {
    expect(await session("a wrong secret of 16 bytes")).toBe(block("none"));
  });
});
