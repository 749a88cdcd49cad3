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

  it("names every command and every exit code in its help", async () => {
    const { code, out } = await ran(["--help"]);
    expect(code).toBe(0);
    for (const name of names) expect(out).toMatch(new RegExp(`^  ${name}\\b`, "m"));
    for (const exit of [0, 1, 2, 3, 130]) expect(out).toMatch(new RegExp(`^  ${exit} +\\S`, "m"));
  });

  it.each(names)("has a help with examples for %s", async (name) => {
    const { code, out } = await ran([name, "--help"]);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`Examples:\n(.*\n)*  .*bluum-webhooks ${name}`));
    expect(await ran(["help", name])).toMatchObject({ code: 0, out });
  });

  it.each(names)("has no line in the help of %s that a narrow terminal would wrap", async (name) => {
    const { out } = await ran([name, "--help"]);
    expect(out.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("ends with 2 where no command is named, and prints the help to stderr", async () => {
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
  ])("ends with 2 for %j and says why", async (args, message) => {
    const { code, out, err } = await ran(args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
  });

  it("gives errors as JSON on stderr with --json, wherever it stands", async () => {
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

  it("repeats nothing of what follows a misspelt option, which may be a secret", async () => {
    for (const args of [
      ["listen", "--sercet=hunter2hunter2hunter2"],
      ["verify", "x", "--header", "hunter2hunter2"],
    ]) {
      const { code, err } = await ran(args);
      expect(code).toBe(2);
      expect(err).not.toContain("hunter2");
    }
  });

  it("never shows a secret of the environment in a help", async () => {
    const env = { BLUUM_WEBHOOK_SECRET: "hunter2hunter2hunter2" };
    for (const name of names) expect((await ran([name, "--help"], fakeTerminal(env))).out).not.toContain("hunter2");
  });

  it("ends with 130 after Ctrl-C, and with 0 where the reader of its output has left", async () => {
    const interrupted = fakeTerminal();
    interrupted.interrupt();
    expect((await ran(["listen", "--port", "0"], interrupted)).code).toBe(130);
    const unread = { ...fakeTerminal(), signal: AbortSignal.abort(OUTPUT_CLOSED) };
    expect((await ran(["listen", "--port", "0"], unread)).code).toBe(0);
  });
});
