import { Command, CommanderError } from "commander";
import { WebhookError } from "../index.ts";
import { CommandFailed, EXIT, type ExitCode } from "./exit.ts";
import { jsonLine } from "./printable.ts";
import { OUTPUT_CLOSED, type Terminal } from "./terminal.ts";
import { packageVersion } from "./version.ts";
import { wrapText } from "./wrap.ts";

/** The commands, each a file of its own in commands/. Loaded when it is asked for, so that no command waits for what others stand on. */
const COMMANDS: Readonly<Record<string, (terminal: Terminal) => Promise<Command>>> = {
  listen: async (terminal) => (await import("./commands/listen.ts")).listenCommand(terminal),
  detect: async (terminal) => (await import("./commands/detect.ts")).detectCommand(terminal),
  trigger: async (terminal) => (await import("./commands/trigger.ts")).triggerCommand(terminal),
  verify: async (terminal) => (await import("./commands/verify.ts")).verifyCommand(terminal),
  endpoints: async (terminal) => (await import("./commands/endpoints.ts")).endpointsCommand(terminal),
  "event-types": async (terminal) => (await import("./commands/event-types.ts")).eventTypesCommand(terminal),
  sandbox: async (terminal) => (await import("./commands/sandbox.ts")).sandboxCommand(terminal),
  completion: async (terminal) => (await import("./commands/completion.ts")).completionCommand(terminal),
};

/** These speak of all commands. */
const ABOUT_ALL = ["completion", "help"];

/** Runs one command line, and gives the process's exit code. Never rejects. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    const named = args.find((arg) => !arg.startsWith("-"));
    const root = await program(terminal, named !== undefined && !ABOUT_ALL.includes(named) ? named : undefined);
    await root.parseAsync([...args], { from: "user" });
    return ended(terminal.signal) ?? EXIT.ok;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.ok;
    const exitCode = ended(terminal.signal);
    const failure = failureOf(thrown);
    if (exitCode !== undefined && !failure.mayHaveHappened) return exitCode;
    terminal.stderr.write(args.includes("--json") ? jsonError(failure) : `${failure.message}\n`);
    return exitCode ?? failure.exitCode;
  }
}

/**
 * The command line, with all its commands or, where `only` names one, with that alone.
 *
 * @param only the name of a command; any other text counts as none, so that a misspelt one is met with suggestions
 */
export async function program(terminal: Terminal, only?: string): Promise<Command> {
  const root = new Command("bluum-webhooks")
    .description("Receive, trigger and examine webhooks from Bluum on the command line.")
    .version(packageVersion(), "-V, --version", "print the version")
    .option("--json", "print JSON, one object a line, for programs")
    .option("--no-color", "print without colours, as with NO_COLOR=1 and where no terminal is")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    // Wrapped when it is written, with all that is added to it.
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: Number.POSITIVE_INFINITY })
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(wrapText(text, helpWidth(terminal))),
      writeErr: (text) => terminal.stderr.write(wrapText(text, helpWidth(terminal))),
      // Said once, by run, and with --json in another form.
      outputError: () => {},
    })
    .exitOverride()
    .addHelpText("after", `\n${EXIT_CODES}`);
  const names = only !== undefined && Object.hasOwn(COMMANDS, only) ? [only] : Object.keys(COMMANDS);
  for (const name of names) root.addCommand(await (COMMANDS[name] as (typeof COMMANDS)[string])(terminal));
  for (const command of root.commands) inherit(command, root);
  return root;
}

const EXIT_CODES = `Exit codes:
  ${EXIT.ok}    all went as asked
  ${EXIT.failed}    the answer is no: a delivery was not answered as it should, a mount is broken, no scheme matches
  ${EXIT.usage}    the command line itself cannot work
  ${EXIT.unreachable}    somebody could not be reached, or did not answer
  ${EXIT.interrupted}  ended by Ctrl-C`;

function helpWidth({ stdout }: Terminal): number {
  return Math.min((stdout.isTTY && stdout.columns) || 80, 120);
}

/** Settings of the root hold for commands of commands, too. */
function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child, command);
}

function ended({ aborted, reason }: AbortSignal): ExitCode | undefined {
  if (!aborted) return undefined;
  return reason === OUTPUT_CLOSED ? EXIT.ok : EXIT.interrupted;
}

/** Whatever was thrown, as what is told of it. */
function failureOf(thrown: unknown): CommandFailed {
  if (thrown instanceof CommandFailed) return thrown;
  if (thrown instanceof CommanderError) return new CommandFailed(usageMessage(thrown), EXIT.usage);
  if (thrown instanceof WebhookError && thrown.code === "configuration_invalid")
    return new CommandFailed(thrown.message, EXIT.usage, { cause: thrown });
  const told = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return new CommandFailed(`unexpected: ${told}`, EXIT.failed, { code: "unexpected", cause: thrown });
}

function usageMessage({ code, message }: CommanderError): string {
  // The help has been printed in its place.
  if (code === "commander.help") return "Name a command.";
  // What follows a misspelt --secret= must not be repeated.
  return message.replace(/^error: /, "").replace(/^(unknown option '[^'=]*)=.*?'(?=\n|$)/s, "$1'");
}

function jsonError({ code, message }: CommandFailed): string {
  return `${jsonLine({ error: { code, message } })}\n`;
}
