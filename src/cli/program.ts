import { Command, CommanderError } from "commander";
import { detectCommand } from "./commands/detect.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

/** Runs one command line, and gives the process's exit code. Never rejects. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await program(terminal).parseAsync([...args], { from: "user" });
    return terminal.signal.aborted ? EXIT.interrupted : EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (terminal.signal.aborted) return EXIT.interrupted;
    if (!(error instanceof CommandFailed)) throw error;
    terminal.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
}

/** The whole command line. Each command is a file of its own in commands/. */
export function program(terminal: Terminal): Command {
  const commands: Command[] = [detectCommand(terminal)];
  const root = new Command("bluum-webhooks")
    .description("Receive, trigger and examine webhooks from Bluum on the command line.")
    .option("--json", "print JSON, one object a line, for programs")
    .option("--no-color", "print without colours, as with NO_COLOR=1 and where no terminal is")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    });
  for (const command of commands) root.addCommand(command.copyInheritedSettings(root));
  return root;
}
