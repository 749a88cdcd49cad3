import { alertRules } from "./alerts.ts";
import { dashboard } from "./dashboard.ts";
import { toYaml } from "./rules-yaml.ts";

/** How much faster the rules of the example are. */
export const FAST = 120;

/** The generated files, by their paths from the root. */
export const FILES: Readonly<Record<string, string>> = {
  "observability/prometheus-alerts.yml": toYaml(alertRules(), [
    "Alerts for bluum-webhooks. Load this file with `rule_files` in prometheus.yml: docs/guides/telemetry.md.",
    "What each alert means, and what to do: docs/guides/alerts.md.",
  ]),
  "observability/grafana-dashboard.json": `${JSON.stringify(dashboard(), null, 2)}\n`,
  "examples/observability/fast-alerts.yml": toYaml(alertRules({ speed: FAST }), [
    `observability/prometheus-alerts.yml, ${FAST} times as fast: a minute there is half a second here. To watch, not to use.`,
  ]),
};
