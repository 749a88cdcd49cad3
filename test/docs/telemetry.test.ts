import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { alertRules } from "../../scripts/observability/alerts.ts";
import { THRESHOLDS } from "../../scripts/observability/thresholds.ts";
import { ANSWER_TIMEOUT_MS } from "../../src/bluum/retry-schedule.ts";
import { METRICS, ON_SPANS, SHARED, STATES } from "../../src/telemetry/names.ts";
import { findPrometheus } from "../services/prometheus.ts";
import { codeBlocks, codeWords, ROOT, readText, tableOf } from "./markdown.ts";

const PAGE = "docs/guides/telemetry.md";

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

describe("the alerts in docs/guides/telemetry.md", () => {
  const rows = tableOf(PAGE, "alerts").map(([alert = "", severity, when = ""]) => ({
    alert: codeWords(alert)[0],
    severity,
    when,
  }));
  const programs = findPrometheus();

  it("are all there are, each with its severity", () => {
    const known = alertRules().map(({ alert, labels }) => ({ alert, severity: labels.severity }));
    expect(rows.map(({ alert, severity }) => ({ alert, severity }))).toEqual(known);
  });

  it("each have their section in docs/guides/operations.md, where the runbook link leads", () => {
    const [, behind = ""] = readText("docs/guides/operations.md").split("\n## What each alert means\n");
    const sections = [...(behind.split("\n## ")[0] ?? "").matchAll(/^### (\w+)$/gm)].map(([, heading]) => heading);
    expect(sections).toEqual(alertRules().map(({ alert }) => alert));
  });

  it("are told with the numbers of the rules", () => {
    const { waiting, parked, signatures, slow, silence, claims, store, inbox } = THRESHOLDS;
    const told = rows.map(({ alert, when }) => [alert, when.match(/\d+(?: (?:s|min|h|days|%)(?!\w))?/g)]);
    expect(Object.fromEntries(told)).toEqual({
      BluumEventsWaitTooLong: [span(waiting.ageMs), span(waiting.forMs)],
      BluumEventsParked: [span(parked.windowMs)],
      BluumSignatureFailures: [`${signatures.count}`, `${100 * signatures.share} %`, span(signatures.windowMs)],
      BluumAcknowledgementSlow: [
        ...["1", "100"],
        ...[slow.windowMs, slow.p99Ms, slow.forMs, ANSWER_TIMEOUT_MS].map(span),
      ],
      BluumNoDeliveries: [...[silence.windowMs, silence.forMs, silence.earlierMs].map(span), `${silence.usual}`],
      BluumClaimsLost: [span(claims.windowMs)],
      BluumStoreErrors: [`${store.count}`, span(store.windowMs)],
      BluumInboxErrors: [`${inbox.count}`, span(inbox.windowMs), span(inbox.forMs)],
    });
  });

  it.skipIf(programs === undefined)("are loaded by the configuration that the page shows", () => {
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

/** A duration in the words of the page. */
function span(ms: number): string {
  const units = { days: 86_400_000, h: 3_600_000, min: 60_000, s: 1_000 };
  const [unit, length] = Object.entries(units).find(([, unitMs]) => ms % unitMs === 0) ?? ["ms", 1];
  return `${ms / length} ${unit}`;
}
