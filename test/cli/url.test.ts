import { describe, expect, it } from "vitest";
import { credentials, runCommand } from "./provider-terminal.ts";

const ENV = { ...credentials({ url: "https://example.com/v1" }), BLUUM_WEBHOOK_SECRET: "a secret of 16 bytes or more" };
const NEW = ["--event", "order.filled", "--show-secret"];

/** Each option and argument that is a URL: its name, and the command line before it. */
const ANY: readonly [string, string[]][] = [
  ["--forward", ["listen", "--port", "0", "--forward"]],
  ["--to", ["trigger", "order.filled", "--to"]],
  ["--url", ["detect", "capture.json", "--url"]],
  ["<url>", ["verify"]],
];
const SECURE: readonly [string, string[]][] = [
  ["--forward-to", ["sandbox", "--port", "0", "--forward-to"]],
  ["--url", ["endpoints", "create", "--name", "n", ...NEW, "--url"]],
  ["--url", ["endpoints", "ensure", ...NEW, "--url"]],
  ["--url", ["endpoints", "update", "wh_1", "--url"]],
  ["--base-url", ["endpoints", "list", "--base-url"]],
  ["--base-url", ["event-types", "--base-url"]],
];

async function refusal(args: readonly string[], env = ENV): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(args, { env });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).not.toContain("hunter2");
  return stderr;
}

describe("an invalid URL is refused with one wording, without repeating it", () => {
  it.each([...ANY, ...SECURE])("as %s of %j", async (name, args) => {
    for (const text of ["nowhere?key=hunter2", "localhost:3000", "ftp://example.com/hunter2", "/hunter2", ""]) {
      expect(await refusal([...args, text])).toBe(
        `${name} must be a whole URL that begins with http:// or https://.\n`,
      );
    }
    expect(await refusal([...args, "http://me:hunter2@localhost/"])).toBe(
      `${name} must hold no user and no password.\n`,
    );
  });

  it.each(SECURE)("as %s of %j, without TLS to another machine", async (name, args) => {
    expect(await refusal([...args, "http://example.com/hunter2"])).toBe(
      `${name} must begin with https://, unless it leads to this machine.\n`,
    );
  });

  it("as the variable BLUUM_BASE_URL", async () => {
    const env = { ...ENV, BLUUM_BASE_URL: "nowhere?key=hunter2" };
    expect(await refusal(["endpoints", "list"], env)).toBe(
      "BLUUM_BASE_URL must be a whole URL that begins with http:// or https://.\n",
    );
  });
});
