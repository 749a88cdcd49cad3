import { Command, CommanderError } from "commander";
import { WebhookError } from "../index.ts";
import { CommandFailed, EXIT, type ExitCode } from "./exit.ts";
import { jsonLine } from "./printable.ts";
import { OUTPUT_CLOSED, type Terminal } from "./terminal.ts";
import { packageVersion } from "./version.ts";
import { wrapText } from "./wrap.ts";

/** The commands, one file each in commands/. A command is imported on demand, so that it does not load what others need. */
const COMMANDS: Readonly<Record<string, (terminal: Terminal) => Promise<Command>>> = {
  listen: async (terminal) => (await import("./commands/listen.ts")).listenCommand(terminal),
  detect: async (terminal) => (await import("./commands/detect.ts")).detectCommand(terminal),
  trigger: async (terminal) => (await import("./commands/trigger.ts")).triggerCommand(terminal),
  verify: async (terminal) => (await import("./commands/verify.ts")).verifyCommand(terminal),
  endpoints: async (terminal) => (await import("./commands/endpoints.ts")).endpointsCommand(terminal),
  "event-types": async (terminal) => (await import("./commands/event-types.ts")).eventTypesCommand(terminal),
  inbox: async (terminal) => (await import("./commands/inbox.ts")).inboxCommand(terminal),
  sandbox: async (terminal) => (await import("./commands/sandbox.ts")).sandboxCommand(terminal),
  completion: async (terminal) => (await import("./commands/completion.ts")).completionCommand(terminal),
};

/** Commands that need all others. */
const NEEDS_ALL = ["completion", "help"];

/** Runs one command line and returns the exit code. Never rejects. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    const named = args.find((arg) => !arg.startsWith("-"));
    const root = await program(terminal, named !== undefined && !NEEDS_ALL.includes(named) ? named : undefined);
    await root.parseAsync([...args], { from: "user" });
    return abortCode(terminal.signal) ?? EXIT.ok;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.ok;
    const exitCode = abortCode(terminal.signal);
    const failure = failureOf(thrown);
    if (exitCode !== undefined && !failure.mayHaveHappened) return exitCode;
    terminal.stderr.write(args.includes("--json") ? jsonError(failure) : `${failure.message}\n`);
    return exitCode ?? failure.exitCode;
  }
}

/**
 * The command line with all its commands, or with a single one.
 *
 * @param only the name of the single command; a name that does not exist loads all, so that an error can suggest one
 */
export async function program(terminal: Terminal, only?: string): Promise<Command> {
  const root = new Command("bluum-webhooks")
    .description("Receive, trigger and inspect webhooks from Bluum on the command line.")
    .version(packageVersion(), "-V, --version", "print the version")
    .option("--json", "print JSON, one object per line")
    .option("--no-color", "print without colours; the default with NO_COLOR=1 or without a terminal")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    // writeOut wraps the whole text, with the parts of addHelpText.
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: Number.POSITIVE_INFINITY })
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(wrapText(text, helpWidth(terminal))),
      writeErr: (text) => terminal.stderr.write(wrapText(text, helpWidth(terminal))),
      // run() prints errors, with --json as JSON.
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
  ${EXIT.ok}    success
  ${EXIT.failed}    negative result: a delivery was not answered as expected, a mount is broken, no scheme or parked event matches
  ${EXIT.usage}    the command line is wrong
  ${EXIT.unreachable}    a server could not be reached, or did not answer
  ${EXIT.interrupted}  stopped by Ctrl-C`;

function helpWidth({ stdout }: Terminal): number {
  return Math.min((stdout.isTTY && stdout.columns) || 80, 120);
}

/** Copies the settings of the root to all subcommands. */
function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child, command);
}

function abortCode({ aborted, reason }: AbortSignal): ExitCode | undefined {
  if (!aborted) return undefined;
  return reason === OUTPUT_CLOSED ? EXIT.ok : EXIT.interrupted;
}

/** The error to print for anything that was thrown. */
function failureOf(thrown: unknown): CommandFailed {
  if (thrown instanceof CommandFailed) return thrown;
  if (thrown instanceof CommanderError) return new CommandFailed(usageMessage(thrown), EXIT.usage);
  if (thrown instanceof WebhookError && thrown.code === "configuration_invalid")
    return new CommandFailed(thrown.message, EXIT.usage, { cause: thrown });
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return new CommandFailed(`unexpected: ${text}`, EXIT.failed, { code: "unexpected", cause: thrown });
}

function usageMessage({ code, message }: CommanderError): string {
  // commander has printed the help.
  if (code === "commander.help") return "Name a command.";
  // The value of a misspelt --secret= must not be printed, nor the password in a URL.
  return message
    .replace(/^error: /, "")
    .replace(/^(unknown option '[^'=]*)=.*?'(?=\n|$)/s, "$1'")
    .replace(/\/\/[^\s@]*@/g, "//…@");
}

function jsonError({ code, message }: CommandFailed): string {
  return `${jsonLine({ error: { code, message } })}\n`;
}
