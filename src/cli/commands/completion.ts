import { Argument, Command } from "commander";
import { bashCompletion } from "../completion/bash.ts";
import { type CompletedCommand, completedCommands } from "../completion/commands.ts";
import { fishCompletion } from "../completion/fish.ts";
import { powershellCompletion } from "../completion/powershell.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Terminal } from "../terminal.ts";

const SHELLS: Readonly<Record<string, (name: string, commands: readonly CompletedCommand[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
  powershell: powershellCompletion,
};

/** `completion`: prints a script for a shell that completes commands, options and their values. */
export function completionCommand(terminal: Terminal): Command {
  const command = new Command("completion")
    .summary("print a completion script for your shell")
    .description(
      "Prints a script for a shell that completes commands, options, events and files. The script contains all words, so a completion starts no process.",
    )
    .addArgument(new Argument("<shell>", "your shell").choices(Object.keys(SHELLS)))
    .addHelpText("after", HELP);
  return command.action((shell: string) => {
    if (command.optsWithGlobals<{ json?: boolean }>().json)
      throw new CommandFailed("completion prints a script, for which there is no JSON; omit --json.", EXIT.usage);
    const root = command.parent as Command;
    terminal.stdout.write(SHELLS[shell]?.(root.name(), completedCommands(root)) ?? "");
  });
}

const HELP = `
Put one of these lines into ~/.bashrc, ~/.zshrc, config.fish or the profile of PowerShell.

Examples:
  $ source <(bluum-webhooks completion bash)
  $ source <(bluum-webhooks completion zsh)
  $ bluum-webhooks completion fish | source
  > bluum-webhooks completion powershell | Out-String | Invoke-Expression`;
