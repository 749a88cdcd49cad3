import type { JSX } from "preact";
import { visible } from "../../../page/model/visible-text.ts";
import type { EndpointView } from "../../page-api.ts";
import { actions } from "../model/actions.ts";
import { latencyWords } from "../model/words.ts";
import { endpoints } from "../model/world.ts";
import { NewEndpoint } from "./new-endpoint.tsx";

/** The registered endpoints and their health, and the form that adds one. */
export function EndpointsPanel(): JSX.Element {
  return (
    <section class="card" aria-labelledby="endpoints-title">
      <NewEndpoint />
      {endpoints.value.length === 0 && <p class="muted">None is registered.</p>}
      <ul class="endpoints">
        {endpoints.value.map((endpoint) => (
          <Endpoint key={endpoint.id} endpoint={endpoint} />
        ))}
      </ul>
    </section>
  );
}

function Endpoint({ endpoint }: { readonly endpoint: EndpointView }): JSX.Element {
  const { status, name, url, eventTypeNames, delivered, failed, parked, medianLatencyMs } = endpoint;
  const health = healthOf(endpoint);
  const active = status === "ACTIVE";
  return (
    <li class={active ? "endpoint" : "endpoint paused"}>
      <div class="endpoint-head">
        <h3 title={visible(name)}>{visible(name)}</h3>
        <span class={`health ${health.kind}`}>{health.word}</span>
      </div>
      <p class="url" title={visible(url)}>
        {visible(url)}
      </p>
      <Recent recent={endpoint.recent} />
      <dl class="figures-line">
        <Figure name="delivered" value={delivered.toLocaleString("en")} />
        <Figure name="failed" value={failed.toLocaleString("en")} />
        <Figure name="parked" value={parked.toLocaleString("en")} />
        <Figure name="median" value={medianLatencyMs === null ? "–" : latencyWords(medianLatencyMs)} />
      </dl>
      <div class="endpoint-foot">
        <ul class="patterns" aria-label="Subscribed to">
          {eventTypeNames.map((pattern) => (
            <li key={pattern}>{visible(pattern)}</li>
          ))}
        </ul>
        <button type="button" class="small" onClick={() => actions.setStatus(endpoint, active ? "INACTIVE" : "ACTIVE")}>
          {active ? "Pause" : "Activate"}
          <span class="unseen"> {visible(name)}</span>
        </button>
      </div>
    </li>
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const STRIP = 20;

/** The answers to the last attempts: tall for 2xx, short for another status, hollow for no answer. */
function Recent({ recent }: { readonly recent: EndpointView["recent"] }): JSX.Element {
  const good = recent.filter(isGood).length;
  const label =
    recent.length === 0
      ? "Nothing was sent so far."
      : `${good} of the last ${recent.length} attempts were answered with 2xx.`;
  return (
    <svg
      class="recent"
      viewBox={`0 0 ${STRIP * 10} 20`}
      height="20"
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {Array.from({ length: STRIP }, (_, at) => {
        const answer = recent[at - (STRIP - recent.length)];
        return <AnswerBar key={at} x={at * 10 + 1} answer={answer} />;
      })}
    </svg>
  );
}

function AnswerBar({ x, answer }: { readonly x: number; readonly answer: number | null | undefined }): JSX.Element {
  if (answer === undefined) return <rect x={x} y="17" width="8" height="2" class="none" />;
  if (answer === null) return <rect x={x + 0.75} y="10.75" width="6.5" height="7.5" class="silent" />;
  return isGood(answer) ? (
    <rect x={x} y="1" width="8" height="18" class="good" />
  ) : (
    <rect x={x} y="10" width="8" height="9" class="bad" />
  );
}

function isGood(answer: number | null): boolean {
  return answer !== null && answer >= 200 && answer < 300;
}

interface Health {
  readonly kind: "paused" | "quiet" | "good" | "unsteady" | "failing";
  readonly word: string;
}

/** The health of an endpoint by its last attempts. The last three count more than earlier ones. */
function healthOf({ status, recent }: EndpointView): Health {
  if (status === "INACTIVE") return { kind: "paused", word: "Paused" };
  if (recent.length === 0) return { kind: "quiet", word: "Quiet" };
  if (recent.every(isGood)) return { kind: "good", word: "Healthy" };
  const latest = recent.slice(-3);
  if (!latest.some(isGood)) return { kind: "failing", word: "Failing" };
  return latest.every(isGood) ? { kind: "good", word: "Recovered" } : { kind: "unsteady", word: "Unsteady" };
}
