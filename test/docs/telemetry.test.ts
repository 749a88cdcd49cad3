import { describe, expect, it } from "vitest";
import { METRICS, ON_SPANS, SHARED, STATES } from "../../src/telemetry/names.ts";
import { codeWords, readText, tableOf } from "./markdown.ts";

const PAGE = "docs/telemetry.md";

describe("docs/telemetry.md", () => {
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
