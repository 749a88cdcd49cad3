import { PANELS, type Panel } from "./panels.ts";
import { NAMESPACE, namePattern } from "./promql.ts";

const DATASOURCE = { type: "prometheus", uid: "$datasource" };
/** The columns of Grafana's grid. */
const COLUMNS = 24;
const ROW_HEIGHT = 1;

/** The dashboard, as Grafana imports it. */
export function dashboard(): object {
  return {
    uid: "bluum-webhooks",
    title: "Bluum webhooks",
    description: "What bluum-webhooks receives, stores and processes.",
    tags: ["bluum-webhooks"],
    editable: true,
    schemaVersion: 38,
    version: 1,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    timezone: "browser",
    graphTooltip: 1,
    templating: { list: [datasourceVariable(), namespaceVariable()] },
    annotations: { list: [] },
    links: [],
    panels: placed(PANELS),
  };
}

function datasourceVariable(): object {
  return { name: "datasource", label: "Data source", type: "datasource", query: "prometheus", hide: 0 };
}

function namespaceVariable(): object {
  const query = `label_values(${namePattern("deliveries")}, ${NAMESPACE})`;
  return {
    name: "namespace",
    label: "Namespace",
    type: "query",
    datasource: DATASOURCE,
    query: { query, refId: "namespace" },
    definition: query,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: ".*",
    current: { text: ["All"], value: ["$__all"] },
    hide: 0,
  };
}

/** The panels from left to right, a new line where the next one does not fit. */
function placed(panels: readonly Panel[]): object[] {
  let x = 0;
  let y = 0;
  let lineHeight = 0;
  return panels.map((panel, index) => {
    const { width = COLUMNS, height = ROW_HEIGHT } = panel;
    if (x + width > COLUMNS) {
      x = 0;
      y += lineHeight;
      lineHeight = 0;
    }
    const gridPos = { x, y, w: width, h: height };
    x += width;
    lineHeight = Math.max(lineHeight, height);
    return toGrafana(panel, index + 1, gridPos);
  });
}

function toGrafana(panel: Panel, id: number, gridPos: object): object {
  const { type, title, description, queries = [], unit = "short", stacked = false, warnAbove } = panel;
  if (type === "row") return { id, type, title, gridPos, collapsed: false, panels: [] };
  const steps = [
    { color: "green", value: null },
    ...(warnAbove === undefined ? [] : [{ color: "red", value: warnAbove }]),
  ];
  const custom = {
    fillOpacity: stacked ? 40 : 10,
    stacking: { mode: stacked ? "normal" : "none" },
    showPoints: "never",
  };
  return {
    id,
    type,
    title,
    description,
    gridPos,
    datasource: DATASOURCE,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      editorMode: "code",
      range: true,
    })),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        thresholds: { mode: "absolute", steps },
        ...(type === "timeseries" && { custom }),
      },
      overrides: [],
    },
    options:
      type === "stat"
        ? { reduceOptions: { calcs: ["lastNotNull"] }, colorMode: "value", graphMode: "area" }
        : { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "desc" } },
  };
}
