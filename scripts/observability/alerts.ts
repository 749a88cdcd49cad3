import { PROBE_TYPE } from "../../src/telemetry/names.ts";
import { SIGNATURE_CODES } from "./codes.ts";
import { duration, increased, max, NAMESPACE, namePattern, select, sum } from "./promql.ts";
import { THRESHOLDS } from "./thresholds.ts";

/** An alert rule of Prometheus. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** How long the expression must hold. */
  readonly for?: string;
  readonly labels: { readonly severity: "critical" | "warning" };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

const RUNBOOK = "https://github.com/bluum-webhooks/bluum-webhooks/blob/main/docs/guides/alerts.md";

const DELIVERIES = namePattern("deliveries");
const RUNS = namePattern("inboxRuns");
/** Deliveries that Bluum counts as delivered. */
const ACKNOWLEDGED = { outcome: ["accepted", "duplicate"] } as const;

/**
 * The alert rules, without their group.
 *
 * @param options.speed how much faster than the clock they are: every duration is divided by it. @default 1
 */
export function alertRules({ speed = 1 }: { readonly speed?: number } = {}): AlertRule[] {
  const time: Time = {
    span: (ms) => duration(ms / speed),
    seconds: (ms) => String(ms / speed / 1_000),
    increase: (selector, windowMs) => increased(selector, windowMs, speed),
  };
  return [
    eventsWaitTooLong(time),
    eventsParked(time),
    signatureFailures(time),
    acknowledgementSlow(time),
    noDeliveries(time),
    claimsLost(time),
    storeErrors(time),
    inboxErrors(time),
  ];
}

/** How the rules write times, at their speed. */
interface Time {
  readonly span: (ms: number) => string;
  readonly seconds: (ms: number) => string;
  readonly increase: (selector: string, windowMs: number) => string;
}

function eventsWaitTooLong({ span, seconds }: Time): AlertRule {
  const { ageMs, forMs } = THRESHOLDS.waiting;
  return rule("BluumEventsWaitTooLong", "critical", {
    expr: `${max(select(namePattern("inboxOldestAge")))} > ${seconds(ageMs)}`,
    for: span(forMs),
    summary: "Events wait too long in the inbox of {{ NAMESPACE }}.",
    description:
      'The oldest event has waited for {{ $value | printf "%.0f" }} s. The workers are stopped, hang in a handler, or are too few. ' +
      "Check that a worker runs and what its handlers wait for; then add workers or concurrency. No event is lost.",
  });
}

function eventsParked({ span, increase }: Time): AlertRule {
  const { windowMs } = THRESHOLDS.parked;
  const parked = select(namePattern("inboxEvents"), { state: ["parked"] });
  return rule("BluumEventsParked", "critical", {
    // The gauge also shows events of which no worker was told, since a connection broke while they were parked.
    expr: `${sum(increase(select(namePattern("inboxParked")), windowMs))} > 0\nor\n${max(parked)} - ${max(`${parked} offset ${span(windowMs)}`)} > 0`,
    summary: "Events of {{ NAMESPACE }} were parked.",
    description:
      'About {{ $value | printf "%.0f" }} events failed in all their attempts. They were acknowledged, so Bluum does not send them again. ' +
      "Find the error with `bluum-webhooks inbox parked`, fix the handler, then redrive them. The alert ends by itself; the events stay parked.",
  });
}

function signatureFailures({ increase }: Time): AlertRule {
  const { count, share, windowMs } = THRESHOLDS.signatures;
  const noProbes = [`type!="${PROBE_TYPE}"`];
  const refused = select(DELIVERIES, { outcome: ["rejected"], code: SIGNATURE_CODES }, noProbes);
  const failed = sum(increase(refused, windowMs));
  const all = sum(increase(select(DELIVERIES, {}, noProbes), windowMs));
  return rule("BluumSignatureFailures", "critical", {
    expr: `${failed} > ${count}\nand\n${failed} / ${all} > ${share}`,
    summary: "Deliveries to {{ NAMESPACE }} have wrong signatures.",
    description:
      '{{ $value | printf "%.0f" }} deliveries were refused with 401. Either these are forgeries, which had no effect, or the secret is ' +
      "wrong: after a rotation genuine events look like this. Compare the secret with Bluum's; during a rotation give both. Bluum retries what was refused.",
  });
}

function acknowledgementSlow({ span, seconds, increase }: Time): AlertRule {
  const { p99Ms, windowMs, forMs } = THRESHOLDS.slow;
  const buckets = increase(select(namePattern("deliveryDuration", "bucket"), ACKNOWLEDGED), windowMs);
  return rule("BluumAcknowledgementSlow", "warning", {
    expr: `histogram_quantile(0.99, ${sum(buckets, "le")}) > ${seconds(p99Ms)}`,
    for: span(forMs),
    summary: "{{ NAMESPACE }} acknowledges deliveries too slowly.",
    description:
      'One delivery in a hundred takes {{ $value | printf "%.0f" }} s or more. After 30 s Bluum gives up and sends the event again. ' +
      "Look for what is slow: the handler, or with an inbox its database. Long work belongs behind an inbox.",
  });
}

function noDeliveries({ span, increase }: Time): AlertRule {
  const { usual, windowMs, earlierMs, forMs } = THRESHOLDS.silence;
  const acknowledged = select(DELIVERIES, ACKNOWLEDGED);
  const before = sum(`increase(${acknowledged}[${span(windowMs)}] offset ${span(earlierMs)})`);
  return rule("BluumNoDeliveries", "warning", {
    expr: `${before} >= ${usual}\nunless\n${sum(increase(acknowledged, windowMs))} > 0`,
    for: span(forMs),
    summary: "{{ NAMESPACE }} gets no deliveries.",
    description:
      `None was acknowledged for ${span(windowMs)}. A week ago there were {{ $value | printf "%.0f" }} in the same time. Check that the app is ` +
      "reachable from outside and that the endpoint is active at Bluum. A holiday looks like this, too.",
  });
}

function claimsLost({ increase }: Time): AlertRule {
  const lost = select([DELIVERIES, RUNS], { outcome: ["accepted", "failed"], code: ["claim_lost", "event_in_flight"] });
  return rule("BluumClaimsLost", "warning", {
    expr: `${sum(increase(lost, THRESHOLDS.claims.windowMs))} > 0`,
    summary: "Handlers of {{ NAMESPACE }} lost their claim on an event.",
    description:
      'About {{ $value | printf "%.0f" }} times another process took over an event that a handler was still working on; the handler may have ' +
      "run twice. Look for a blocked event loop, a paused process, or a store that does not answer in time.",
  });
}

function storeErrors({ increase }: Time): AlertRule {
  const { count, windowMs } = THRESHOLDS.store;
  const failed = select([DELIVERIES, RUNS], { code: ["store_unavailable"] });
  return rule("BluumStoreErrors", "critical", {
    expr: `${sum(increase(failed, windowMs))} > ${count}`,
    summary: "The dedupe store of {{ NAMESPACE }} fails.",
    description:
      'About {{ $value | printf "%.0f" }} deliveries or runs failed because the store did not answer. Deliveries get 503, and Bluum retries ' +
      "them for more than ten hours. Mend the store: the log line `store_unavailable` has its error.",
  });
}

function inboxErrors({ span, increase }: Time): AlertRule {
  const { count, windowMs, forMs } = THRESHOLDS.inbox;
  const refused = select(DELIVERIES, { code: ["inbox_unavailable", "inbox_full"] });
  const age = max(select(namePattern("inboxOldestAge")));
  return rule("BluumInboxErrors", "critical", {
    // NaN is what an inbox reports that does not answer, and all that differs from itself.
    expr: `${sum(increase(refused, windowMs))} > ${count}\nor\n${age} != ${age}`,
    for: span(forMs),
    summary: "The inbox of {{ NAMESPACE }} fails or is full.",
    description:
      "It does not store events, or does not answer. Deliveries get 503, and Bluum retries them for more than ten hours. Mend the inbox's " +
      "database; if it is full (`inbox_full`), find out why the workers do not keep up.",
  });
}

interface Words {
  readonly expr: string;
  readonly for?: string;
  readonly summary: string;
  readonly description: string;
}

function rule(
  alert: string,
  severity: "critical" | "warning",
  { expr, summary, description, ...rest }: Words,
): AlertRule {
  const words = (text: string) => text.replace("{{ NAMESPACE }}", `{{ $labels.${NAMESPACE} }}`);
  return {
    alert,
    expr,
    ...rest,
    labels: { severity },
    annotations: {
      summary: words(summary),
      description: words(description),
      runbook_url: `${RUNBOOK}#${alert.toLowerCase()}`,
    },
  };
}
