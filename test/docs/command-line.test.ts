import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { program } from "../../src/cli/program.ts";
import { wrapText } from "../../src/cli/wrap.ts";
import { fakeTerminal } from "../cli/fake-terminal.ts";
import { ROOT } from "./markdown.ts";

// Update the page with: npx vitest run test/docs/command-line.test.ts -u
const HEAD = `# The command line

\`npx bluum-webhooks <command>\`. Every command takes \`--json\` and \`--help\`. Secrets come from the environment, a file
or standard input. This page holds the help texts.
`;

function helpOf(command: Command): string {
  const parts: string[] = [];
  command.configureOutput({ writeOut: (part) => parts.push(part) });
  command.outputHelp();
  return wrapText(parts.join(""), 80).trimEnd();
}

function sections(command: Command, name: string, depth: number): string[] {
  const heading = `${"#".repeat(depth)} \`${name}\``;
  const own = `${heading}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`;
  const children = command.commands.filter((child) => child.name() !== "help");
  return [own, ...children.flatMap((child) => sections(child, `${name} ${child.name()}`, 2))];
}

describe("docs/reference/command-line.md", () => {
  it("is generated from the help texts", async () => {
    const page = [HEAD, ...sections(await program(fakeTerminal()), "bluum-webhooks", 2)].join("\n");
    await expect(page).toMatchFileSnapshot(`${ROOT}docs/reference/command-line.md`);
  });
});
