import { Argument, Command } from "commander";
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { powershellCompletion } from "../completion/powershell.ts";
import { type Vocabulary, vocabulariesOf } from "../completion/vocabulary.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Terminal } from "../terminal.ts";

const SHELLS: Readonly<Record<string, (name: string, vocabularies: readonly Vocabulary[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
  powershell: powershellCompletion,
};

/** `completion`: a script by which a shell completes commands, options and their values. */
export function completionCommand(terminal: Terminal): Command {
  const command = new Command("completion")
    .summary("print a script by which your shell completes this command line")
    .description(
      "Prints a script by which a shell completes commands, options, events and files. It holds all words, so that completing starts no process.",
    )
    .addArgument(new Argument("<shell>", "the shell that you use").choices(Object.keys(SHELLS)))
    .addHelpText("after", HELP);
  return command.action((shell: string) => {
    if (command.optsWithGlobals<{ json?: boolean }>().json)
      throw new CommandFailed("completion prints a script, which has no form in JSON; leave --json out.", EXIT.usage);
    const root = command.parent as Command;
    terminal.stdout.write(SHELLS[shell]?.(root.name(), vocabulariesOf(root)) ?? "");
  });
}

const HELP = `
Put one of these lines into ~/.bashrc, ~/.zshrc, config.fish or the profile of PowerShell.

Examples:
  $ source <(bluum-webhooks completion bash)
  $ source <(bluum-webhooks completion zsh)
  $ bluum-webhooks completion fish | source
  > bluum-webhooks completion powershell | Out-String | Invoke-Expression`;
