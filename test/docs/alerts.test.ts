import { describe, expect, it } from "vitest";
import { alertRules } from "../../scripts/observability/alerts.ts";
import { THRESHOLDS } from "../../scripts/observability/thresholds.ts";
import { ANSWER_TIMEOUT_MS } from "../../src/bluum/retry-schedule.ts";
import { codeWords, headings, tableOf } from "./markdown.ts";

const PAGE = "docs/guides/alerts.md";

describe(`the alerts in ${PAGE}`, () => {
  const rows = tableOf(PAGE, "alerts").map(([alert = "", severity, when = ""]) => ({
    alert: codeWords(alert)[0],
    severity,
    when,
  }));

  it("are all there are, each with its severity", () => {
    const known = alertRules().map(({ alert, labels }) => ({ alert, severity: labels.severity }));
    expect(rows.map(({ alert, severity }) => ({ alert, severity }))).toEqual(known);
  });

  it("each have their section, where the runbook link leads", () => {
    const sections = headings(PAGE, 2).filter((heading) => heading.startsWith("Bluum"));
    expect(sections).toEqual(alertRules().map(({ alert }) => alert));
    expect(alertRules().map(({ annotations }) => annotations.runbook_url.split("/main/")[1])).toEqual(
      sections.map((heading) => `${PAGE}#${heading.toLowerCase()}`),
    );
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
});

/** A duration in the words of the page. */
function span(ms: number): string {
  const units = { days: 86_400_000, h: 3_600_000, min: 60_000, s: 1_000 };
  const [unit, length] = Object.entries(units).find(([, unitMs]) => ms % unitMs === 0) ?? ["ms", 1];
  return `${ms / length} ${unit}`;
}
