import { describe, expect, it } from "vitest";
import { alertRules } from "../../scripts/observability/alerts.ts";
import { FAST, FILES } from "../../scripts/observability/files.ts";
import { duration } from "../../scripts/observability/promql.ts";
import { readText } from "../docs/markdown.ts";

interface GridPosition {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

const dashboard = JSON.parse(readText("observability/grafana-dashboard.json")) as {
  readonly panels: readonly { readonly id: number; readonly title: string; readonly gridPos: GridPosition }[];
};

describe("the dashboard and the alert rules", () => {
  it.each(Object.entries(FILES))("%s is what scripts/observability.mjs writes", (path, text) => {
    expect(readText(path)).toBe(text);
  });

  it("come with the package", () => {
    const { files } = JSON.parse(readText("package.json"));
    expect(files).toEqual(expect.arrayContaining(["observability", "examples/*/*.yml"]));
  });
});

describe("the alert rules", () => {
  it("have a runbook in the repository, under their own name", () => {
    const { repository } = JSON.parse(readText("package.json"));
    const pages = `${repository.url.replace(/^git\+|\.git$/g, "")}/blob/main/docs/guides/alerts.md`;
    for (const { alert, annotations } of alertRules())
      expect(annotations.runbook_url).toBe(`${pages}#${alert.toLowerCase()}`);
  });

  it("are the same at another speed, but for their durations", () => {
    const shape = (speed: number) =>
      alertRules({ speed }).map(({ expr, annotations, ...rest }) => ({
        ...rest,
        ...(rest.for && { for: "" }),
        summary: annotations.summary,
        expr: expr.replace(/\b\d+(ms|[smhdw])\b/g, "").replace(/> [\d.]+/g, ">"),
      }));
    expect(shape(FAST)).toEqual(shape(1));
  });

  it.each([
    [1_000, "1s"],
    [900_000, "15m"],
    [604_800_000, "1w"],
    [7_500, "7500ms"],
    [5_400_000, "90m"],
  ])("write %d ms as %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe("the dashboard", () => {
  it("has panels with ids of their own, none over another", () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const cells = dashboard.panels.flatMap(({ gridPos }) => cellsOf(gridPos));
    expect(new Set(cells).size).toBe(cells.length);
  });

  it("fits the width of Grafana's grid", () => {
    for (const { gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});

function cellsOf({ x, y, w, h }: GridPosition): string[] {
  return Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`);
}
