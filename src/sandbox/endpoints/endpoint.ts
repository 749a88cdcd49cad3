import type { EndpointView } from "../page-api.ts";

/** A registered endpoint. */
export interface Endpoint {
  readonly id: string;
  name: string;
  url: string;
  description: string | undefined;
  status: "ACTIVE" | "INACTIVE";
  eventTypeNames: readonly string[];
  readonly createdAt: number;
  updatedAt: number;
  /** The newest first. Deliveries that were signed before a rotation keep the older one. */
  secrets: readonly [string, ...string[]];
  readonly health: Health;
}

/** How the genuine deliveries to an endpoint went. */
export interface Health {
  /** Acknowledged. */
  delivered: number;
  /** Attempts that were not answered 2xx. */
  failed: number;
  /** Parked and not replayed yet. */
  parked: number;
  /** The last answers, oldest first. */
  recent: readonly Answered[];
}

/** An attempt's status and how long it took; null if no answer came. */
export interface Answered {
  readonly status: number | null;
  readonly latencyMs: number | null;
}

const RECENT = 20;

/** The health of a new endpoint. */
export function newHealth(): Health {
  return { delivered: 0, failed: 0, parked: 0, recent: [] };
}

/** Counts one finished attempt. */
export function countAttempt(health: Health, answered: Answered): void {
  if (!isAcknowledged(answered.status)) health.failed += 1;
  health.recent = [...health.recent, answered].slice(-RECENT);
}

/** Whether a status acknowledges the delivery. */
export function isAcknowledged(status: number | null): boolean {
  return status !== null && status >= 200 && status < 300;
}

/** An endpoint as the page shows it. */
export function endpointView(endpoint: Endpoint): EndpointView {
  const { id, name, url, status, eventTypeNames, createdAt, health } = endpoint;
  return {
    ...{ id, name, url, status, eventTypeNames, createdAt },
    ...{ delivered: health.delivered, failed: health.failed, parked: health.parked },
    recent: health.recent.map((answered) => answered.status),
    medianLatencyMs: median(health.recent.flatMap(({ latencyMs }) => latencyMs ?? [])),
  };
}

function median(values: readonly number[]): number | null {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? null;
}
