import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Output } from "../../src/cli/output.ts";
import { type SecretOptions, secretOf, secretsOf } from "../../src/cli/secret.ts";
import { type FakeTerminal, fakeTerminal, ran } from "./fake-terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "secret-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, `${Math.random()}`);
  writeFileSync(path, text);
  return path;
}

function ask(options: SecretOptions, terminal: FakeTerminal, read: typeof secretsOf | typeof secretOf = secretsOf) {
  const notes: string[] = [];
  const output = { note: (text: string) => notes.push(text) } as unknown as Output;
  return read(options, terminal, output).then((secrets) => ({ secrets, notes }));
}

describe("the secret", () => {
  it("is that of the environment by default", async () => {
    const terminal = fakeTerminal({ BLUUM_WEBHOOK_SECRET: " from the environment\n" });
    expect(await ask({}, terminal)).toEqual({ secrets: ["from the environment"], notes: [] });
    expect(await ask({ secretFile: [file("from a file\n")] }, terminal)).toMatchObject({ secrets: ["from a file"] });
  });

  it("is read from files, one per line, for a rotation", async () => {
    const options = { secretFile: [file("one\r\ntwo\n\n"), file("three")] };
    expect((await ask(options, fakeTerminal({}))).secrets).toEqual(["one", "two", "three"]);
  });

  it("is read from standard input", async () => {
    const terminal = fakeTerminal({});
    terminal.stdin.end("piped in\n");
    expect(await ask({ secretStdin: true }, terminal)).toEqual({ secrets: ["piped in"], notes: [] });
  });

  it("is read from an argument, with a warning that does not contain it", async () => {
    const { secrets, notes } = await ask({ secret: ["hunter2hunter2"] }, fakeTerminal({}));
    expect(secrets).toEqual(["hunter2hunter2"]);
    expect(notes).toEqual([expect.stringMatching(/^--secret is visible to others in process lists/)]);
    expect(notes.join()).not.toContain("hunter2");
  });

  it.each([
    ["there is none", {}, /there is no secret; set BLUUM_WEBHOOK_SECRET/],
    ["the file does not exist", { secretFile: ["/nowhere/at/all"] }, /cannot be read \(ENOENT\)/],
    ["the file is empty", { secretFile: [file(" \n")] }, /is empty/],
  ])("is required: an error if %s", async (_, options, message) => {
    await expect(ask(options, fakeTerminal({}))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(message),
    });
  });

  it("is not read from a terminal, which would show it", async () => {
    const terminal = fakeTerminal({});
    terminal.stdin.isTTY = true;
    await expect(ask({ secretStdin: true }, terminal)).rejects.toThrow(/a terminal, which would show the input/);
  });

  it("is awaited until Ctrl-C", async () => {
    const terminal = fakeTerminal({});
    const ended = ran(["trigger", "order.filled", "--to", "http://127.0.0.1:9/", "--secret-stdin"], terminal);
    terminal.stdin.write("half of it");
    terminal.interrupt();
    expect(await ended).toEqual({ code: 130, out: "", err: "" });
  });

  it("has a limit on standard input", async () => {
    const terminal = fakeTerminal({});
    terminal.stdin.end("x".repeat(100_000));
    await expect(ask({ secretStdin: true }, terminal)).rejects.toThrow(/more than 65536 characters/);
  });

  it("is a single one for a command that signs", async () => {
    const terminal = fakeTerminal({});
    await expect(ask({ secret: ["one", "two"] }, terminal, secretOf)).rejects.toThrow(/takes one secret/);
  });
});
