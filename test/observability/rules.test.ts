import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT } from "../docs/markdown.ts";
import { findPrometheus } from "../services/prometheus.ts";
import { CASES, type Case, HEALTHY, LONGEST_MINUTES } from "./cases.ts";
import { dashboardExpressions } from "./expressions.ts";

const RULES = `${ROOT}observability/prometheus-alerts.yml`;
const programs = findPrometheus();
const folder = mkdtempSync(join(tmpdir(), "bluum-rules-"));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;

async function promtool(...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(programs?.promtool ?? "", args).catch((error) => {
    throw new Error(`promtool ${args.join(" ")}\n${error.stdout}${error.stderr}`);
  });
  return stdout + stderr;
}

/** A file for promtool. All of YAML that it needs is JSON. */
function file(content: object): string {
  const path = join(folder, `${++count}.json`);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

/** Lets promtool evaluate the rules over some series, and compare how many alerts fire at some minutes. */
async function evaluate(
  { series, minutesBetween = 1 }: Omit<Case, "title" | "alert" | "fires" | "quiet">,
  expected: readonly Firing[],
) {
  const interval = `${minutesBetween}m`;
  const output = await promtool(
    "test",
    "rules",
    file({
      rule_files: [RULES],
      evaluation_interval: interval,
      tests: [
        {
          interval,
          input_series: Object.entries(series).map(([name, values]) => ({ series: name, values: values.join(" ") })),
          promql_expr_test: expected.map(({ alert, minute, firing }) => ({
            expr: `count(ALERTS{${alert === undefined ? "" : `alertname="${alert}",`}alertstate="firing"}) or vector(0)`,
            eval_time: `${minute}m`,
            exp_samples: [{ labels: "{}", value: firing }],
          })),
        },
      ],
    }),
  );
  expect(output).toContain("SUCCESS");
}

interface Firing {
  /** Missing for all alerts. */
  readonly alert?: string;
  readonly minute: number;
  readonly firing: number;
}

describe.skipIf(programs === undefined)("promtool", () => {
  it("accepts the alert rules", async () => {
    expect(await promtool("check", "rules", RULES)).toContain("SUCCESS: 8 rules found");
    expect(await promtool("check", "rules", `${ROOT}examples/observability/fast-alerts.yml`)).toContain(
      "8 rules found",
    );
  });

  it("accepts every query of the dashboard", async () => {
    const rules = dashboardExpressions().map(({ expr }, index) => ({ record: `panel:${index}`, expr }));
    const output = await promtool("check", "rules", file({ groups: [{ name: "dashboard", rules }] }));
    expect(output).toContain(`SUCCESS: ${rules.length} rules found`);
  });

  it("finds no alert on healthy data", { timeout: 60_000 }, async () => {
    const minutes = Array.from({ length: LONGEST_MINUTES / 5 }, (_, place) => 5 * place);
    await evaluate(
      { series: HEALTHY },
      minutes.map((minute) => ({ minute, firing: 0 })),
    );
  });

  it.each(CASES)("finds that $alert $title", { timeout: 60_000 }, async ({ alert, fires, quiet, ...data }) => {
    await evaluate(data, [
      ...quiet.map((minute) => ({ alert, minute, firing: 0 })),
      ...fires.map((minute) => ({ alert, minute, firing: 1 })),
    ]);
  });
});
