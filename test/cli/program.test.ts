import { describe, expect, it } from "vitest";
import { program } from "../../src/cli/program.ts";
import { OUTPUT_CLOSED } from "../../src/cli/terminal.ts";
import { readText } from "../docs/markdown.ts";
import { fakeTerminal, ran } from "./fake-terminal.ts";

const { version } = JSON.parse(readText("package.json"));
const names = (await program(fakeTerminal())).commands.map((command) => command.name());

describe("the command line", () => {
  it("prints the package's version", async () => {
    expect(await ran(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });

  it("lists every command and every exit code in its help", async () => {
    const { code, out } = await ran(["--help"]);
    expect(code).toBe(0);
    for (const name of names) expect(out).toMatch(new RegExp(`^  ${name}\\b`, "m"));
    for (const exit of [0, 1, 2, 3, 130]) expect(out).toMatch(new RegExp(`^  ${exit} +\\S`, "m"));
  });

  it.each(names)("has help with examples for %s", async (name) => {
    const { code, out } = await ran([name, "--help"]);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`Examples:\n(.*\n)*  .*bluum-webhooks ${name}`));
    expect(await ran(["help", name])).toMatchObject({ code: 0, out });
  });

  it.each(names)("has no line over 80 characters in the help of %s", async (name) => {
    const { out } = await ran([name, "--help"]);
    expect(out.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("exits with 2 and prints the help to stderr without a command", async () => {
    const { code, out, err } = await ran([]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/^Usage: bluum-webhooks[\s\S]*Name a command\.\n$/);
  });

  it.each([
    [["lisen"], /unknown command 'lisen'\n\(Did you mean listen\?\)/],
    [["listen", "--prt", "1"], /unknown option '--prt'\n\(Did you mean --port\?\)/],
    [
      ["listen", "--port", "65536"],
      /--port <port>' argument '65536' is invalid. It must be a whole number from 0 to 65535/,
    ],
    [["trigger", "order.filled"], /required option '-t, --to <url>' not specified/],
    [["verify"], /missing required argument 'url'/],
    [["completion", "tcsh"], /Allowed choices are bash, zsh, fish, powershell/],
  ])("exits with 2 for %j and prints the reason", async (args, message) => {
    const { code, out, err } = await ran(args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
  });

  it("prints errors as JSON to stderr with --json in any position", async () => {
    for (const args of [
      ["--json", "lisen"],
      ["verify", "--json"],
      ["trigger", "x.y", "--json", "--to", "nowhere"],
    ]) {
      const { code, out, err } = await ran(args);
      expect([code, out]).toEqual([2, ""]);
      expect(JSON.parse(err)).toEqual({ error: { code: "usage", message: expect.stringMatching(/\w/) } });
    }
  });

  it("does not print the value of a misspelt option, which may be a secret", async () => {
    for (const args of [
      ["listen", "--sercet=hunter2hunter2hunter2"],
      ["verify", "x", "--header", "hunter2hunter2"],
    ]) {
      const { code, err } = await ran(args);
      expect(code).toBe(2);
      expect(err).not.toContain("hunter2");
    }
  });

  it("never prints a secret of the environment in its help", async () => {
    const env = { BLUUM_WEBHOOK_SECRET: "hunter2hunter2hunter2" };
    for (const name of names) expect((await ran([name, "--help"], fakeTerminal(env))).out).not.toContain("hunter2");
  });

  it("exits with 130 after Ctrl-C, and with 0 if the reader of its output closes it", async () => {
    const interrupted = fakeTerminal();
    interrupted.interrupt();
    expect((await ran(["listen", "--port", "0"], interrupted)).code).toBe(130);
    const unread = { ...fakeTerminal(), signal: AbortSignal.abort(OUTPUT_CLOSED) };
    expect((await ran(["listen", "--port", "0"], unread)).code).toBe(0);
  });
});
