import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { completedCommands } from "../../src/cli/completion/commands.ts";
import { program } from "../../src/cli/program.ts";
import { SCENARIOS } from "../../src/cli/scenarios.ts";
import { KNOWN_EVENT_TYPES } from "../../src/index.ts";
import { fakeTerminal, ran } from "./fake-terminal.ts";

const SHELLS = ["bash", "zsh", "fish", "powershell"];
const commands = completedCommands(await program(fakeTerminal()));
const folder = mkdtempSync(join(tmpdir(), "completion-"));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, "secret.txt"), "");

/** script(1) runs a program in a terminal. */
const TERMINAL = "script";
const hasTerminals = spawnSync(TERMINAL, ["-qec", "true", "/dev/null"]).status === 0;
const has = (shell: string) => spawnSync(shell, ["-c", "true"]).status === 0;

/** The completions of bash at the end of a line. */
async function completions(line: string): Promise<string[]> {
  const script = join(folder, "completion.bash");
  writeFileSync(script, (await ran(["completion", "bash"])).out);
  const words = line.split(" ");
  const command = `source ${script}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1};
    _bluum_webhooks 2> /dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync("bash", ["--norc", "-c", command], { cwd: folder, encoding: "utf8" });
  return out.split("\n").filter(Boolean);
}

describe("completion", () => {
  it("refuses --json", async () => {
    expect(await ran(["completion", "bash", "--json"])).toMatchObject({ code: 2, out: "" });
  });

  it.each(SHELLS)("for %s contains every command and every option", async (shell) => {
    const { code, out } = await ran(["completion", shell]);
    expect(code).toBe(0);
    for (const { words, options } of commands) {
      for (const { text } of words) expect(out).toContain(text);
      for (const { text } of options) expect(out).toContain(shell === "fish" ? `-l ${text.slice(2)}` : text);
    }
  });

  it.each(["bash", "zsh", "fish"].filter(has))("for %s is a valid script", async (shell) => {
    const script = join(folder, `completion.${shell}`);
    writeFileSync(script, (await ran(["completion", shell])).out);
    expect(spawnSync(shell, ["-n", script], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });

  it("in bash completes commands, options, values and files", async () => {
    expect(await completions("bluum-webhooks ")).toEqual(
      expect.arrayContaining(["listen", "trigger", "verify", "--json"]),
    );
    expect(await completions("bluum-webhooks tr")).toEqual(["trigger"]);
    expect(await completions("bluum-webhooks --json listen --f")).toEqual(["--forward"]);
    expect(await completions("bluum-webhooks listen --secret-file sec")).toEqual(["secret.txt"]);
    expect(await completions("bluum-webhooks completion f")).toEqual(["fish"]);
    expect(await completions("bluum-webhooks listen --port ")).toEqual([]);
  });

  it("in bash runs nothing of the typed line", async () => {
    expect(await completions("bluum-webhooks trigger $(touch was-run) --to ")).toEqual([]);
    expect(execFileSync("ls", [folder], { encoding: "utf8" })).not.toContain("was-run");
  });

  it("in bash completes the events and scenarios of trigger and the events of an endpoint", async () => {
    expect(await completions("bluum-webhooks trigger ord")).toEqual(
      [...KNOWN_EVENT_TYPES, ...Object.keys(SCENARIOS)].filter((name) => name.startsWith("ord")),
    );
    expect(await completions("bluum-webhooks trigger order.fil")).toEqual(["order.filled"]);
    expect(await completions("bluum-webhooks trigger order.filled --t")).toEqual(["--to", "--times", "--timeout-ms"]);
    expect(await completions("bluum-webhooks endpoints create --event document.")).toEqual([
      "document.approved",
      "document.rejected",
    ]);
  });

  it.skipIf(!hasTerminals)("completes an event in an interactive bash at the tab key", async () => {
    const script = join(folder, "completion.bash");
    writeFileSync(script, (await ran(["completion", "bash"])).out);
    // Without a terminal, bash does not complete at a tab.
    const shell = spawn(TERMINAL, ["-qec", "bash --norc --noprofile -i", "/dev/null"], {
      env: { PATH: process.env.PATH, TERM: "dumb", PS1: "> " },
    });
    onTestFinished(() => void shell.kill("SIGKILL"));
    let shown = "";
    shell.stdout.on("data", (chunk) => (shown += chunk));
    shell.stdin.write(
      `source '${script}'; bind 'set show-all-if-ambiguous on'; bluum-webhooks() { printf '<%s>' "$@"; }; echo re''ady\n`,
    );
    await expect.poll(() => shown).toContain("ready");
    shell.stdin.write("bluum-webhooks tri\torder.fil\t\n");
    await expect.poll(() => shown, { timeout: 10_000 }).toContain("<trigger><order.filled>");
    shell.stdin.write("bluum-webhooks trigger order.\t");
    await expect.poll(() => shown, { timeout: 10_000 }).toMatch(/order\.accepted[\s\S]*order\.rejected/);
    shell.stdin.end("\u0003exit\n");
    await once(shell, "exit");
  });
});
