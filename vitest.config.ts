import { availableParallelism } from "node:os";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";

/**
 * The rooms of the tests, and the folders and files of `test` in each: `npx vitest run --project stores` runs one. What none of them
 * names belongs to the room `core`. Each room has a fast part and, with EXHAUSTIVE=true, a thorough one: see `test/exhaustive.ts`.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  adapters: ["adapters"],
  stores: ["stores"],
  inbox: ["inbox"],
  tools: ["cli", "client", "sandbox", "testing", "observability"],
  docs: ["docs", "examples", "package", "readme.test.ts", "runtimes"],
  storm: ["storm"],
  bench: ["bench"],
};

const core = room("core", ["test/**/*.test.ts"], testsIn(Object.values(ROOMS).flat()));
const others = Object.entries(ROOMS).map(([name, places]) => room(name, testsIn(places), []));

export default defineConfig({
  test: {
    // The benchmarks want the machine for themselves: BENCH=true npx vitest run --project bench
    projects: [core, ...others].filter(({ test }) => test.name !== "bench" || process.env.BENCH === "true"),
    // `inFull` of test/exhaustive.ts.
    tags: [{ name: "exhaustive", description: "What exists only with EXHAUSTIVE=true, or tries more then." }],
    testTimeout: 20_000,
    // The slow cases wait for timeouts, not for the processor.
    maxConcurrency: 25,
    // More than there are processors: many tests wait, for timeouts, servers and browsers; the exhaustive ones most of all.
    maxWorkers: availableParallelism() + (process.env.EXHAUSTIVE === "true" ? 2 : 1),
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts", "adapters/**/*.ts"],
      // The pages' code runs in Chromium, where it is not counted.
      exclude: ["test/**", "src/page/{model,view}/**", "src/sandbox/page/{model,view}/**", "src/inbox/page/browser/**"],
      reporter: ["text-summary", "json-summary", "text"],
    },
  },
});

function testsIn(places: readonly string[]): string[] {
  return places.map((place) => (place.endsWith(".ts") ? `test/${place}` : `test/${place}/**/*.test.ts`));
}

function room(name: string, include: string[], exclude: string[]) {
  return { extends: true, test: { name, include, exclude } } satisfies TestProjectConfiguration;
}
