import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ROOT } from "../docs/markdown.ts";
import { receiving, served } from "./app.ts";
import { SECRET } from "./fake-terminal.ts";

const BIN = `${ROOT}dist/src/cli/bin.js`;

/** Starts the bin as a process. */
function start(args: readonly string[], env: Record<string, string> = { BLUUM_WEBHOOK_SECRET: SECRET }): ChildProcess {
  return spawn(process.execPath, [BIN, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

async function finished(child: ChildProcess) {
  const texts = { out: "", err: "" };
  child.stdout?.on("data", (chunk) => (texts.out += chunk));
  child.stderr?.on("data", (chunk) => (texts.err += chunk));
  const [code, signal] = await once(child, "close");
  return { code, signal, ...texts };
}

const firstLine = (child: ChildProcess) => once(child.stdout as NodeJS.ReadableStream, "data").then(String);

describe("the bin", () => {
  it.each([
    ["--version", 0],
    ["lisen", 2],
    ["verify http://127.0.0.1:9/", 3],
  ])("%s exits with %i", async (line, code) => {
    expect((await finished(start(line.split(" ")))).code).toBe(code);
  });

  it("exits with 0 or 1 by the result of a delivery, at once", async () => {
    const startedAtMs = performance.now();
    const args = ["trigger", "order.filled", "--to", await receiving()];
    expect((await finished(start(args))).code).toBe(0);
    expect((await finished(start(args, { BLUUM_WEBHOOK_SECRET: "the secret of another" }))).code).toBe(1);
    // Idle keep-alive connections must not keep the process running.
    expect(performance.now() - startedAtMs).toBeLessThan(4_000);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("exits listen with 130 at %s, without output", async (signal) => {
    const child = start(["listen", "--port", "0"]);
    const all = finished(child);
    await firstLine(child);
    child.kill(signal);
    expect(await all).toMatchObject({ code: 130, signal: null, err: "" });
  });

  it("exits quietly if the reader of its output closes it", async () => {
    const child = start(["listen", "--port", "0", "--json"]);
    const { url } = JSON.parse(await firstLine(child));
    const ended = once(child, "close");
    child.stdout?.destroy();
    let err = "";
    child.stderr?.on("data", (chunk) => (err += chunk));
    // Prints a line that is not read.
    await fetch(url, { method: "POST", body: "{}" }).catch(() => {});
    expect([await ended, err]).toEqual([[0, null], ""]);
  });

  it("reads its secret from a pipe", async () => {
    const child = start(["trigger", "order.filled", "--secret-stdin", "--to", await receiving()], {});
    child.stdin?.end(`${SECRET}\n`);
    expect((await finished(child)).code).toBe(0);
  });

  it.runIf(existsSync("/proc/self/cmdline"))("hides its arguments from process lists", async () => {
    const child = start(["listen", "--port", "0", "--secret", "hunter2hunter2hunter2"]);
    const all = finished(child);
    await firstLine(child);
    const line = readFileSync(`/proc/${child.pid}/cmdline`, "utf8");
    child.kill("SIGINT");
    expect(line).toMatch(/^bluum-webhooks/);
    expect(line).not.toContain("hunter2");
    const { out, err } = await all;
    expect(out + err).not.toContain("hunter2");
  });

  it("prints colours only if they are wanted", async () => {
    const url = await served((_, response) => response.writeHead(404).end());
    const env = { BLUUM_WEBHOOK_SECRET: SECRET };
    const colours = async (args: string[], more: Record<string, string>) =>
      (await finished(start(["verify", url, ...args], { ...env, ...more }))).out.includes("\u001b[");
    expect(await colours([], {})).toBe(false);
    expect(await colours([], { FORCE_COLOR: "1" })).toBe(true);
    expect(await colours([], { FORCE_COLOR: "1", NO_COLOR: "1" })).toBe(false);
    expect(await colours(["--no-color"], { FORCE_COLOR: "1" })).toBe(false);
    expect(await colours(["--json"], { FORCE_COLOR: "1" })).toBe(false);
  });
});
