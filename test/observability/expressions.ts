import { readText } from "../docs/markdown.ts";

/** A query of the dashboard or the expression of an alert. */
export interface Expression {
  /** Where it stands. */
  readonly place: string;
  readonly expr: string;
  /** Text that names labels: a legend, or the annotations of an alert. */
  readonly words: string;
}

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
}

const dashboard = (): Dashboard => JSON.parse(readText("observability/grafana-dashboard.json"));

/** The queries of the dashboard as Prometheus gets them: of all namespaces, and with a fixed interval for `rate`. */
export function dashboardExpressions(interval = "5m"): Expression[] {
  return dashboard().panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({
      place: title,
      expr: expr.replaceAll("$__rate_interval", interval).replaceAll("$namespace", ".*"),
      words: legendFormat,
    })),
  );
}

/** The queries of the dashboard's variables. */
export function variableQueries(): string[] {
  return dashboard().templating.list.flatMap(({ definition }) => (definition === undefined ? [] : [definition]));
}

/** The expressions of the shipped alert rules, as they stand in the file. */
export function alertExpressions(): Expression[] {
  const [, ...rules] = readText("observability/prometheus-alerts.yml").split(/^ {6}- alert: /m);
  return rules.map((rule) => {
    const [, expr = "", rest = ""] = /^ {8}expr: \|-\n((?: {10}[^\n]*\n)+)(.*)$/ms.exec(rule) ?? [];
    return { place: rule.split("\n", 1)[0] ?? "", expr: expr.replace(/^ {10}/gm, "").trimEnd(), words: rest };
  });
}
