import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT } from "../docs/markdown.ts";
import { run } from "./programs.ts";

describe("the demo", () => {
  const copies = `${ROOT}.tmp/demo-${process.pid}/`;
  afterAll(() => rmSync(copies, { recursive: true, force: true }));

  it("shows in a table what happened to each delivery, without colours where nobody sees them", async () => {
    const { code, output } = await run("examples/demo/demo.mjs");
    expect(code).toBe(0);
    expect(output).not.toContain("\u001b[");
    expect(output).toMatch(/^what was sent +answer +code or body +what the app did$/m);
    expect(output).toMatch(/^a fresh event +200 +\{"received":true\} +booked ord_1$/m);
    expect(output).toMatch(/^the same again +200 +\{"received":true,"duplicate":true\} +nothing$/m);
    expect(output).toMatch(/^a copy, while .* 503 +event_in_flight +nothing$/m);
    expect(output).toMatch(/^forged: .* 401 +signature_mismatch +nothing$/m);
    expect(output).toMatch(/^unsigned +401 +signature_missing +nothing$/m);
    expect(output).toMatch(/^ {2}its retry: only the second runs +200 .* mailed the investor$/m);
  });

  it("fails, and says which, where an answer is not the expected one", async () => {
    const demo = readFileSync(`${ROOT}examples/demo/demo.mjs`, "utf8");
    mkdirSync(copies, { recursive: true });
    writeFileSync(`${copies}table.mjs`, readFileSync(`${ROOT}examples/demo/table.mjs`));
    writeFileSync(`${copies}demo.mjs`, demo.replace('said: "signature_missing"', 'said: "signature_malformed"'));
    const { code, output } = await run(`${copies}demo.mjs`);
    expect(code).toBe(1);
    expect(output).toMatch(/^unsigned .*\n {2}\^ expected 401, signature_malformed, nothing$/m);
    expect(output).toContain("1 of 15 answers");
  });
});
