import { checksFor, type OptionChecks } from "../options.ts";

/** Checks what the sandbox is asked for; the messages begin with `sandbox: `. */
export const checks: OptionChecks = checksFor("sandbox");
