#!/usr/bin/env node
/** The bin `bluum-webhooks`. */
import process from "node:process";

// Replaces the arguments in process lists as early as possible: one of them may be a secret.
process.title = "bluum-webhooks";

const { run } = await import("./program.ts");
const { processTerminal } = await import("./terminal.ts");

process.exitCode = await run(process.argv.slice(2), processTerminal());
