// The retry storm: `npm run storm -- --help`.
import { register } from "node:module";

// Before Node 22.18 TypeScript has to be turned into JavaScript first.
if (!process.features.typescript) register("./typescript-loader.mjs", import.meta.url);
const { command } = await import("./command.ts");

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) {
  // The first signal ends the storm in order, the second one at once.
  process.on(signal, () => (interrupted.signal.aborted ? process.exit(130) : interrupted.abort()));
}
process.exit(await command(process.argv.slice(2), interrupted.signal));
