import { describe, expect, it } from "vitest";
import { KNOWN_EVENT_TYPES } from "../../src/bluum/catalogue.ts";
import { METRICS, type Metric, OTHER_TYPE, PROBE_TYPE, SHARED, STATES, SYSTEM } from "../../src/telemetry/names.ts";
import { readText } from "../docs/markdown.ts";
import { alertExpressions, dashboardExpressions, variableQueries } from "./expressions.ts";

const labelOf = (attribute: string) => attribute.replaceAll(".", "_");

/** The names under which Prometheus has a metric: by the exporter of OpenTelemetry JS, and by OTLP, where durations have a unit. */
function seriesOf({ name, kind, unit }: Metric): string[] {
  const bare = labelOf(name);
  const endings = { counter: ["_total"], gauge: [""], histogram: ["_bucket", "_sum", "_count"] }[kind];
  return [bare, ...(unit === "s" ? [`${bare}_seconds`] : [])].flatMap((each) => endings.map((ending) => each + ending));
}

const LABELS = new Map(
  Object.values(METRICS).flatMap((metric) =>
    seriesOf(metric).map((series) => [
      series,
      [...metric.attributes.map(labelOf), ...(series.endsWith("_bucket") ? ["le"] : [])],
    ]),
  ),
);

const quoted = (text: string) => [...text.matchAll(/"([a-z_]+)"/g)].map(([, word = ""]) => word);
const between = (path: string, start: string, end: string) => readText(path).split(start)[1]?.split(end)[0] ?? "";
const KINDS = [...readText("src/pipeline/outcome.ts").matchAll(/^ {2}readonly kind: "(\w+)"/gm)].map(
  ([, kind]) => kind,
);

/** The values that each label can have, as the source has them. */
const VALUES: Readonly<Record<string, readonly (string | undefined)[]>> = {
  outcome: [...KINDS, ...quoted(between("src/pipeline/report.ts", 'readonly outcome: Outcome["kind"]', ";"))],
  code: quoted(
    between("src/errors.ts", "export type RejectionCode =", ";\n") +
      between("src/errors.ts", "export type UsageCode =", ";\n"),
  ),
  state: STATES,
  type: [...KNOWN_EVENT_TYPES, OTHER_TYPE, PROBE_TYPE],
  [labelOf(SHARED.system)]: [SYSTEM],
};

const expressions = [...alertExpressions(), ...dashboardExpressions()];

/** The series that an expression selects: their names, and their matchers. */
function selectorsOf(expr: string) {
  const withMatchers = [...expr.matchAll(/(\w*)\{([^}]*)\}/g)].map(([, name = "", text = ""]) => {
    const matchers = [...text.matchAll(/(\w+)(?:=~|!~|!=|=)"([^"]*)"/g)].map(([, label = "", value = ""]) => ({
      label,
      values: value.split("|"),
    }));
    const pattern = name || (/__name__=~"([^"]*)"/.exec(text)?.[1] ?? "");
    return { pattern, matchers: matchers.filter(({ label }) => label !== "__name__") };
  });
  const bare = expr.replace(/\{[^}]*\}/g, "{}").matchAll(/\b((?:bluum|messaging)_\w+)\b(?!\{)/g);
  const names = [...bare].map(([, name = ""]) => name).filter((name) => !isLabel(name));
  return [...withMatchers, ...names.map((pattern) => ({ pattern, matchers: [] }))];
}

const isLabel = (name: string) => [...LABELS.values()].some((labels) => labels.includes(name));

/** The series that a selector's name or pattern matches. Each alternative of a pattern must match one. */
function seriesNamed(pattern: string): string[] {
  return pattern.split(/\|(?![^(]*\))/).flatMap((each) => {
    const found = [...LABELS.keys()].filter((series) => new RegExp(`^(?:${each})$`).test(series));
    expect(found, `series named ${each}`).not.toEqual([]);
    return found;
  });
}

describe.each(expressions)("$place", ({ expr, words }) => {
  const selectors = selectorsOf(expr);

  it("selects series that exist, by labels that each of them has", () => {
    expect(selectors).not.toEqual([]);
    for (const { pattern, matchers } of selectors) {
      for (const series of seriesNamed(pattern))
        for (const { label } of matchers) expect(LABELS.get(series), series).toContain(label);
    }
  });

  it("asks for values that exist", () => {
    for (const { label, values } of selectors.flatMap(({ matchers }) => matchers)) {
      const free = values.every((value) => value === "" || value === ".*");
      if (!free) expect(VALUES[label], label).toEqual(expect.arrayContaining([...values]));
    }
  });

  it("groups by, and shows, labels that all of its series have", () => {
    const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = ""]) => labels.split(", "));
    const shown = [...words.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)].map(([, label = ""]) => label);
    for (const label of shown) expect(grouped).toContain(label);
    for (const { pattern } of selectors)
      for (const series of seriesNamed(pattern)) expect(LABELS.get(series)).toEqual(expect.arrayContaining(grouped));
  });
});

describe("the check of names", () => {
  it("has read the alerts, the panels and the values of the source", () => {
    expect(alertExpressions()).toHaveLength(8);
    expect(dashboardExpressions().length).toBeGreaterThan(15);
    expect(VALUES.outcome).toEqual(expect.arrayContaining(["accepted", "rejected", "in_flight", "failed", "parked"]));
    expect(VALUES.code).toEqual(expect.arrayContaining(["signature_mismatch", "completion_rolled_back", "claim_lost"]));
  });

  it("shows every metric on the dashboard", () => {
    const shown = dashboardExpressions().flatMap(({ expr }) =>
      selectorsOf(expr).flatMap(({ pattern }) => seriesNamed(pattern)),
    );
    for (const metric of Object.values(METRICS))
      expect(
        shown.some((series) => seriesOf(metric).includes(series)),
        metric.name,
      ).toBe(true);
  });
});

describe("the variables of the dashboard", () => {
  it("ask for labels that exist", () => {
    const queries = variableQueries().map((query) => /^label_values\((\w+), (\w+)\)$/.exec(query));
    expect(queries).not.toEqual([]);
    for (const [, series = "", label = ""] of queries.map((found) => found ?? []))
      expect(LABELS.get(series)).toContain(label);
  });
});
