/** Exit codes that scripts can rely on; docs/command-line.md lists them. */
export const EXIT = {
  /** All went as asked. */
  ok: 0,
  /** The answer is no: a delivery was refused, a mount is broken, no scheme matches. */
  failed: 1,
  /** The command line itself cannot work. */
  usage: 2,
  /** Somebody could not be reached, or did not answer. */
  unreachable: 3,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a {@link CommandFailed} may carry beside its message. */
export interface FailureDetails extends ErrorOptions {
  /** What went wrong, for programs that read `--json`. @default the name of the exit code, such as `usage` */
  readonly code?: string;
  /** Whether it is told even where Ctrl-C ended the command, since something may have been done. */
  readonly mayHaveHappened?: boolean;
}

/** Ends a command with a message for people and a code for scripts, without a stack. */
export class CommandFailed extends Error {
  readonly exitCode: ExitCode;
  /** What went wrong, for programs. */
  readonly code: string;
  /** Whether what the command was to do may have been done all the same. */
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
