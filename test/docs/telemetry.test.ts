import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { alertRules } from "../../scripts/observability/alerts.ts";
import { METRICS, ON_SPANS, SHARED, STATES } from "../../src/telemetry/names.ts";
import { findPrometheus } from "../services/prometheus.ts";
import { codeBlocks, codeWords, ROOT, readText, tableOf } from "./markdown.ts";

const PAGE = "docs/guides/telemetry.md";
const programs = findPrometheus();

describe("docs/guides/telemetry.md", () => {
  it("lists every metric with its kind, unit and attributes", () => {
    const listed = tableOf(PAGE, "metrics").map(([name = "", kind, unit = "", attributes = ""]) => [
      ...codeWords(name),
      kind,
      ...codeWords(unit),
      codeWords(attributes),
    ]);
    const known = Object.values(METRICS).map(({ name, kind, unit, attributes }) => [name, kind, unit, attributes]);
    expect(listed).toEqual(known);
  });

  it("lists every attribute of spans", () => {
    const listed = tableOf(PAGE, "attributes of spans").flatMap(([name = ""]) => codeWords(name));
    expect(listed.toSorted()).toEqual([...Object.values(SHARED), ...Object.values(ON_SPANS)].toSorted());
  });

  it("names every state of an event in an inbox", () => {
    for (const state of STATES) expect(readText(PAGE)).toContain(`\`${state}\``);
  });
});

describe.skipIf(programs === undefined)("the configuration in docs/guides/telemetry.md", () => {
  it("loads every alert", () => {
    const [configuration] = codeBlocks(PAGE).filter(({ language }) => language === "yaml");
    const folder = mkdtempSync(join(tmpdir(), "bluum-telemetry-"));
    try {
      mkdirSync(join(folder, "node_modules"));
      symlinkSync(ROOT, join(folder, "node_modules/bluum-webhooks"), "dir");
      writeFileSync(join(folder, "prometheus.yml"), configuration?.code ?? "");
      const args = ["check", "config", join(folder, "prometheus.yml")];
      const output = execFileSync(programs?.promtool ?? "", args, { cwd: folder, encoding: "utf8" });
      expect(output).toContain(`${alertRules().length} rules found`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
