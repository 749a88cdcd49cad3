import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** Where the programs of Prometheus are. */
export interface PrometheusPrograms {
  readonly prometheus: string;
  readonly promtool: string;
}

/** The Prometheus at PROMETHEUS_PATH, or else on the PATH. Without one its tests are skipped with a warning; with CI=true they fail. */
export function findPrometheus(): PrometheusPrograms | undefined {
  const named = process.env.PROMETHEUS_PATH;
  const prometheus = named || onPath("prometheus");
  const promtool = [prometheus && join(dirname(prometheus), "promtool"), onPath("promtool")].find(
    (path) => path !== undefined && existsSync(path),
  );
  if (prometheus !== undefined && existsSync(prometheus) && promtool !== undefined) return { prometheus, promtool };
  const missing = "no prometheus with its promtool is on the PATH, and PROMETHEUS_PATH names none";
  if (process.env.CI === "true") throw new Error(`The alerts must be tested: ${missing}.`);
  console.warn(`The alerts are not tested: ${missing}.`);
  return undefined;
}

function onPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
