/** The exit codes, which are stable; docs/reference/command-line.md lists them. */
export const EXIT = {
  /** Success. */
  ok: 0,
  /** A negative result: a delivery was refused, a mount is broken, nothing matches. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** A server could not be reached, or did not answer. */
  unreachable: 3,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The details of a {@link CommandFailed}. */
export interface FailureDetails extends ErrorOptions {
  /** The error's code in the output of `--json`. @default the name of the exit code, such as `usage` */
  readonly code?: string;
  /** Whether the command may have had an effect. It is then printed even if Ctrl-C stopped the command. @default false */
  readonly mayHaveHappened?: boolean;
}

/** An error that ends a command with a message and an exit code, without a stack. */
export class CommandFailed extends Error {
  readonly exitCode: ExitCode;
  /** The code in the output of `--json`. */
  readonly code: string;
  /** Whether the command may have had an effect. */
  readonly mayHaveHappened: boolean;

  constructor(
    message: string,
    exitCode: ExitCode = EXIT.failed,
    { code, mayHaveHappened = false, ...options }: FailureDetails = {},
  ) {
    super(message, options);
    this.name = "CommandFailed";
    this.exitCode = exitCode;
    this.code = code ?? nameOf(exitCode);
    this.mayHaveHappened = mayHaveHappened;
  }
}

function nameOf(exitCode: ExitCode): string {
  return Object.entries(EXIT).find(([, code]) => code === exitCode)?.[0] ?? "failed";
}
