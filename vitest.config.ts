import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // The benchmarks want the machine for themselves: BENCH=true npx vitest run test/bench
    exclude: process.env.BENCH === "true" ? [] : ["test/bench/**"],
    testTimeout: 20_000,
    // The slow cases wait for time-outs, not for the processor.
    maxConcurrency: 25,
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts", "adapters/**/*.ts"],
      reporter: ["text-summary", "json-summary", "text"],
    },
  },
});
