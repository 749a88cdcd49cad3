import type { BodyView } from "../page/body.ts";

/**
 * The API between the inspector page and the sandbox. All paths are under `/_inspector`; the page itself is served at
 * `/`. Times are epoch milliseconds by the sandbox's own clock (`Snapshot.now`), which runs `speed` times as fast as the wall clock.
 *
 * | call | answer |
 * |---|---|
 * | `GET /_inspector/state` | {@link Snapshot} |
 * | `GET /_inspector/changes` (server-sent events; `Last-Event-ID` or `?since=` is a revision) | `event: change`, data {@link Change}, id the revision; `event: reset` if the revision is too old or of another run: fetch the state again |
 * | `GET /_inspector/deliveries/:id` | {@link DeliveryDetail} |
 * | `POST /_inspector/deliveries/:id/(duplicate\|replay\|forge)`, body `{ kind? }` for forge | {@link Started} |
 * | `POST /_inspector/replay-parked` | {@link Started} |
 * | `POST /_inspector/scenarios/:name` | {@link Started} |
 * | `POST /_inspector/events`, body `{ event, data? }` | {@link Started} |
 * | `POST /_inspector/endpoints`, body `{ url, name?, eventTypeNames? }` | {@link AddedEndpoint} |
 * | `PATCH /_inspector/endpoints/:id`, body `{ status }` | {@link EndpointView} |
 *
 * An error is `{ error: { code, message } }` with a 4xx; 503 if too many pages are connected. Calls that change something must come from
 * the page's own origin, with `Content-Type: application/json` if they have a body.
 */
export interface Snapshot {
  readonly revision: number;
  /** The sandbox's clock when this was made. */
  readonly now: number;
  /** How much faster than the wall clock it runs; 0 if it stands still. It can be put forward, so each change has `now`. */
  readonly speed: number;
  readonly scheme: string;
  readonly endpoints: readonly EndpointView[];
  /** Oldest first. */
  readonly deliveries: readonly DeliverySummary[];
  /** How many parked deliveries `POST /_inspector/replay-parked` replays: those of active endpoints. */
  readonly replayable?: number;
  readonly scenarios: readonly { readonly name: string; readonly title: string }[];
  readonly eventTypes: readonly string[];
  readonly forgeries: readonly { readonly kind: string; readonly title: string }[];
  /** Commands to copy, shown while there is no delivery yet. They contain the sandbox's keys. */
  readonly firstSteps: readonly { readonly title: string; readonly code: string }[];
}

/** A change since the revision before. */
export type Change = {
  /** As in {@link Snapshot}, after the change. */
  readonly replayable?: number;
} & (
  | { readonly kind: "delivery"; readonly now: number; readonly delivery: DeliverySummary }
  | { readonly kind: "endpoint"; readonly now: number; readonly endpoint: EndpointView }
  | { readonly kind: "endpoint_removed"; readonly now: number; readonly id: string }
  /** The oldest deliveries were forgotten to limit memory. */
  | { readonly kind: "deliveries_dropped"; readonly now: number; readonly ids: readonly string[] }
);

/** One registered endpoint and its health. */
export interface EndpointView {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly status: "ACTIVE" | "INACTIVE";
  readonly eventTypeNames: readonly string[];
  readonly createdAt: number;
  readonly delivered: number;
  readonly failed: number;
  readonly parked: number;
  /** Answers of the last twenty attempts, oldest first: the status, or null without an answer. */
  readonly recent: readonly (number | null)[];
  /** The median time to an answer in the last twenty attempts, in milliseconds; null without an answer. */
  readonly medianLatencyMs: number | null;
}

/** An endpoint that was just registered. Other answers about endpoints do not have the secret. */
export interface AddedEndpoint extends EndpointView {
  readonly secret: string;
}

/**
 * - `waiting`: not sent yet
 * - `sending`: a request is in progress
 * - `delivered`: answered 2xx
 * - `retrying`: failed so far; `nextAttemptAt` says when it is sent again
 * - `parked`: given up after the last attempt; also a copy or a forged delivery that was refused, since those are not retried
 */
export type DeliveryState = "waiting" | "sending" | "delivered" | "retrying" | "parked";

/** Why a delivery exists. */
export type DeliveryOrigin = "event" | "duplicate" | "replay" | "forged";

/** One event on its way to one endpoint, as the list shows it. */
export interface DeliverySummary {
  readonly id: string;
  readonly type: string;
  /** The id of the event, for grouping; not all payloads carry it. */
  readonly eventId: string;
  readonly endpointId: string;
  readonly origin: DeliveryOrigin;
  readonly state: DeliveryState;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly nextAttemptAt: number | null;
  /** Whether it was parked and has been replayed. */
  readonly replayed: boolean;
  /** The id of the resource in `data`, such as an order's, if the payload has one. */
  readonly resourceId?: string;
  /** The amount in `data`, such as `250.00 USD` or `10 AAPL × 178.50 USD`, if the payload has one. */
  readonly amount?: string;
  readonly attempts: readonly AttemptSummary[];
}

/** One request, finished or in progress. */
export interface AttemptSummary {
  readonly at: number;
  /** In real milliseconds; null while no answer has come. */
  readonly latencyMs: number | null;
  /** null while it is in progress, and if no answer came. */
  readonly status: number | null;
  /** Why no answer came, such as `timed out` or `ECONNREFUSED`. */
  readonly error: string | null;
  /** Its fault, such as `cut_before` or `clock_skew`; for a forged delivery, the kind of forgery. */
  readonly fault: string | null;
  /** Whether the receiver acknowledged the event with `"unhandled": true`: no handler matched, so nothing ran. */
  readonly unhandled?: boolean;
}

/** One delivery with all its details. */
export interface DeliveryDetail extends DeliverySummary {
  /** The body of every attempt that is not forged. */
  readonly body: BodyView;
  readonly attempts: readonly AttemptDetail[];
}

/** One request and its answer. */
export interface AttemptDetail extends AttemptSummary {
  readonly request: { readonly headers: readonly (readonly [string, string])[]; readonly body: BodyView };
  readonly answer: {
    readonly headers: readonly (readonly [string, string])[];
    readonly body: BodyView;
  } | null;
  readonly signature: SignatureExplanation;
}

/** How an attempt was signed, step by step, to find the mistake in a computation that differs. */
export interface SignatureExplanation {
  readonly scheme: string;
  readonly steps: readonly { readonly title: string; readonly text: string; readonly code: string | null }[];
  /** A program that computes the signature from the secret and the body, to be copied. */
  readonly program: string;
  /** Whether the attempt was signed as a genuine one is. */
  readonly genuine: boolean;
}

/** The deliveries that a call has started. */
export interface Started {
  readonly deliveryIds: readonly string[];
}
