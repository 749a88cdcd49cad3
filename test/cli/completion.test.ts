import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { vocabulariesOf } from "../../src/cli/completion/vocabulary.ts";
import { program } from "../../src/cli/program.ts";
import { SCENARIOS } from "../../src/cli/scenarios.ts";
import { KNOWN_EVENT_TYPES } from "../../src/index.ts";
import { fakeTerminal, ran } from "./fake-terminal.ts";

const SHELLS = ["bash", "zsh", "fish", "powershell"];
const vocabularies = vocabulariesOf(await program(fakeTerminal()));
const folder = mkdtempSync(join(tmpdir(), "completion-"));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, "secret.txt"), "");

/** script(1) gives a program a terminal. */
const TERMINAL = "script";
const hasTerminals = spawnSync(TERMINAL, ["-qec", "true", "/dev/null"]).status === 0;
const has = (shell: string) => spawnSync(shell, ["-c", "true"]).status === 0;

/** What bash offers at the end of a line. */
async function offered(line: string): Promise<string[]> {
  const script = join(folder, "completion.bash");
  writeFileSync(script, (await ran(["completion", "bash"])).out);
  const words = line.split(" ");
  const asked = `source ${script}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1};
    _bluum_webhooks 2> /dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync("bash", ["--norc", "-c", asked], { cwd: folder, encoding: "utf8" });
  return out.split("\n").filter(Boolean);
}

describe("completion", () => {
  it("refuses --json, in which no shell reads a script", async () => {
    expect(await ran(["completion", "bash", "--json"])).toMatchObject({ code: 2, out: "" });
  });

  it.each(SHELLS)("for %s holds every command and every option", async (shell) => {
    const { code, out } = await ran(["completion", shell]);
    expect(code).toBe(0);
    for (const { words, options } of vocabularies) {
      for (const { text } of words) expect(out).toContain(text);
      for (const { text } of options) expect(out).toContain(shell === "fish" ? `-l ${text.slice(2)}` : text);
    }
  });

  it.each(["bash", "zsh", "fish"].filter(has))("for %s is a program that it understands", async (shell) => {
    const script = join(folder, `completion.${shell}`);
    writeFileSync(script, (await ran(["completion", shell])).out);
    expect(spawnSync(shell, ["-n", script], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });

  it("in bash offers commands, options, values and files where they may stand", async () => {
    expect(await offered("bluum-webhooks ")).toEqual(expect.arrayContaining(["listen", "trigger", "verify", "--json"]));
    expect(await offered("bluum-webhooks tr")).toEqual(["trigger"]);
    expect(await offered("bluum-webhooks --json listen --f")).toEqual(["--forward"]);
    expect(await offered("bluum-webhooks listen --secret-file sec")).toEqual(["secret.txt"]);
    expect(await offered("bluum-webhooks completion f")).toEqual(["fish"]);
    expect(await offered("bluum-webhooks listen --port ")).toEqual([]);
  });

  it("in bash runs nothing of what was typed", async () => {
    expect(await offered("bluum-webhooks trigger $(touch was-run) --to ")).toEqual([]);
    expect(execFileSync("ls", [folder], { encoding: "utf8" })).not.toContain("was-run");
  });

  it("in bash offers the events and scenarios of trigger, and the events that an endpoint subscribes to", async () => {
    expect(await offered("bluum-webhooks trigger ord")).toEqual(
      [...KNOWN_EVENT_TYPES, ...Object.keys(SCENARIOS)].filter((name) => name.startsWith("ord")),
    );
    expect(await offered("bluum-webhooks trigger order.fil")).toEqual(["order.filled"]);
    expect(await offered("bluum-webhooks trigger order.filled --t")).toEqual(["--to", "--times", "--timeout-ms"]);
    expect(await offered("bluum-webhooks endpoints create --event document.")).toEqual([
      "document.approved",
      "document.rejected",
    ]);
  });

  it.skipIf(!hasTerminals)("completes an event in an interactive bash, at the tab key", async () => {
    const script = join(folder, "completion.bash");
    writeFileSync(script, (await ran(["completion", "bash"])).out);
    // Without a terminal a shell reads no tab as a key.
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
