import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { run } from "../../src/cli/program.ts";
import { wrapText, wrapWords } from "../../src/cli/wrap.ts";
import { fakeTerminal } from "./fake-terminal.ts";

describe("words", () => {
  it("are wrapped at spaces", () => {
    expect(wrapWords("one two three four", 9)).toEqual(["one two", "three", "four"]);
  });

  it("that are too long are cut after punctuation, or else anywhere", () => {
    expect(wrapWords("transfer.withdrawal.completed", 20)).toEqual(["transfer.withdrawal.", "completed"]);
    expect(wrapWords("see https://example.com/webhooks/bluum", 20)).toEqual([
      "see https://example.",
      "com/webhooks/bluum",
    ]);
    expect(wrapWords("a abcdefghij", 4)).toEqual(["a", "abcd", "efgh", "ij"]);
  });

  it("fill no line beyond its width, and none is missing", () => {
    const text = fc.array(fc.stringMatching(/^[a-zé.,/-]{1,30}$/), { maxLength: 20 }).map((words) => words.join(" "));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 40 }), (words, width) => {
        const lines = wrapWords(words, width);
        for (const line of lines) expect([...line].length).toBeLessThanOrEqual(width);
        expect(lines.join("").replaceAll(" ", "")).toBe(words.replaceAll(" ", ""));
      }),
    );
  });
});

describe("a line of help", () => {
  it("keeps its indentation", () => {
    expect(wrapText("  one two three", 9)).toBe("  one two\n  three");
  });

  it("keeps the second column in place, or puts it below the first", () => {
    expect(wrapText("  --port <n>  the port to listen on", 30)).toBe(
      "  --port <n>  the port to\n              listen on",
    );
    expect(wrapText("  --credentials-file <path>  read them from a file", 28)).toBe(
      "  --credentials-file <path>\n      read them from a file",
    );
  });

  it("that is a command stays the same command, with quoted words", () => {
    const line = `  $ printf '<%s>' "a b  c" 'd e' f "the secret of this endpoint" g\\ h`;
    const wrapped = wrapText(line, 44);
    for (const one of wrapped.split("\n")) expect(one.length).toBeLessThanOrEqual(44);
    const asTyped = (text: string) => text.replace(/^ *\$ /, "");
    const outputs = [line, wrapped].map(
      (text) => spawnSync("bash", ["-c", asTyped(text)], { encoding: "utf8" }).stdout,
    );
    expect(outputs[0]).toBe("<a b  c><d e><f><the secret of this endpoint><g h>");
    expect(outputs[1]).toBe(outputs[0]);
  });
});

const COMMANDS = [
  [],
  ["listen"],
  ["detect"],
  ["trigger"],
  ["verify"],
  ["endpoints"],
  ...["list", "create", "update", "delete", "ensure"].map((name) => ["endpoints", name]),
  ["event-types"],
  ["sandbox"],
  ["completion"],
];

/** One word of a shell cannot be wrapped. */
const isOneWord = (line: string) => /^ *(\$ )?([^\s"]|"[^"]*")+( \\)?$/.test(line);

describe("help", () => {
  it.each([40, 50, 60, 72, 80, 100, 200])("wraps at words in a terminal of %i columns", async (columns) => {
    for (const command of COMMANDS) {
      const terminal = fakeTerminal();
      Object.assign(terminal.stdout, { isTTY: true, columns });
      expect(await run([...command, "--help"], terminal)).toBe(0);
      await new Promise((resolve) => setImmediate(resolve));
      const wide = fakeTerminal();
      Object.assign(wide.stdout, { isTTY: true, columns: 10_000 });
      await run([...command, "--help"], wide);
      await new Promise((resolve) => setImmediate(resolve));
      const tooLong = terminal
        .out()
        .split("\n")
        .filter((line) => line.length > columns && !isOneWord(line));
      expect([command, tooLong]).toEqual([command, []]);
      // No word is cut or missing; a backslash continues a command.
      expect(terminal.out().replaceAll("\\\n", " ").split(/\s+/)).toEqual(wide.out().split(/\s+/));
    }
  });
});
