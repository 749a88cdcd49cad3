/**
 * What the inspector page and the sandbox say to each other. All paths stand under `/_inspector`, the page itself is served at
 * `/`. Times are epoch milliseconds by the sandbox's own clock (`Snapshot.now`), which runs `speed` times as fast as the wall.
 *
 * | call | answer |
 * |---|---|
 * | `GET /_inspector/state` | {@link Snapshot} |
 * | `GET /_inspector/changes` (server-sent events; `Last-Event-ID` or `?since=` is a revision) | `event: change`, data {@link Change}, id the revision; `event: reset` where the revision is too old or of another run: fetch the state again |
 * | `GET /_inspector/deliveries/:id` | {@link DeliveryDetail} |
 * | `POST /_inspector/deliveries/:id/(duplicate\|replay\|forge)`, body `{ kind? }` for forge | {@link Started} |
 * | `POST /_inspector/replay-parked` | {@link Started} |
 * | `POST /_inspector/scenarios/:name` | {@link Started} |
 * | `POST /_inspector/events`, body `{ event, data? }` | {@link Started} |
 * | `POST /_inspector/endpoints`, body `{ url, name?, eventTypeNames? }` | {@link AddedEndpoint} |
 * | `PATCH /_inspector/endpoints/:id`, body `{ status }` | {@link EndpointView} |
 *
 * An error is `{ error: { code, message } }` with a 4xx; 503 where too many pages follow. Calls that change something must come from
 * the page's own origin, and say `Content-Type: application/json` where they have a body.
 */
export interface Snapshot {
  readonly revision: number;
  /** The sandbox's clock when this was made. */
  readonly now: number;
  /** How much faster than the wall that clock runs; 0 where it stands still. It may be put forward: each change carries `now`. */
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
  /** What to do first, shown with a button to copy while nothing has happened: only the sandbox knows its own keys. */
  readonly firstSteps: readonly { readonly title: string; readonly code: string }[];
}

/** What has changed since the revision before. */
export type Change = {
  /** As in {@link Snapshot}, after the change. */
  readonly replayable?: number;
} & (
  | { readonly kind: "delivery"; readonly now: number; readonly delivery: DeliverySummary }
  | { readonly kind: "endpoint"; readonly now: number; readonly endpoint: EndpointView }
  | { readonly kind: "endpoint_removed"; readonly now: number; readonly id: string }
  /** The oldest were forgotten, to bound the memory. */
  | { readonly kind: "deliveries_dropped"; readonly now: number; readonly ids: readonly string[] }
);

/** One registered endpoint and how it does. */
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
  /** Answers of the last twenty attempts, oldest first: the status, or null where none came. */
  readonly recent: readonly (number | null)[];
  readonly medianLatencyMs: number | null;
}

/** An endpoint that was just registered. No other answer of the inspector's endpoint calls has the secret. */
export interface AddedEndpoint extends EndpointView {
  readonly secret: string;
}

/**
 * - `waiting`: not sent yet
 * - `sending`: an attempt is on its way
 * - `delivered`: answered 2xx
 * - `retrying`: failed so far; `nextAttemptAt` tells when it is sent again
 * - `parked`: given up after the last attempt, or forged or a copy that was refused and is not retried
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
  /** Whether a replay has taken the place of a parked one. */
  readonly replayed: boolean;
  /** The id of the resource in `data`, such as an order's, if the payload has one. */
  readonly resourceId?: string;
  /** The amount in `data`, such as `250.00 USD` or `10 AAPL × 178.50 USD`, if the payload has one. */
  readonly amount?: string;
  readonly attempts: readonly AttemptSummary[];
}

/** One request that was sent, or is being sent. */
export interface AttemptSummary {
  readonly at: number;
  /** In real milliseconds; null while no answer has come. */
  readonly latencyMs: number | null;
  /** null while it is on its way, and where no answer came. */
  readonly status: number | null;
  /** Why no answer came, such as `timed out` or `ECONNREFUSED`. */
  readonly error: string | null;
  /** The fault that was done to it on purpose, such as `cut_before` or `clock_skew`; of a forged one its kind. */
  readonly fault: string | null;
  /** Whether the receiver acknowledged the event with `"unhandled": true`: no handler matched, so nothing ran. */
  readonly unhandled?: boolean;
}

/** One delivery opened. */
export interface DeliveryDetail extends DeliverySummary {
  /** What every attempt sends, but a forged one. */
  readonly body: BodyView;
  readonly attempts: readonly AttemptDetail[];
}

/** Bytes for people: text where they are UTF-8, and at most so many. */
export interface BodyView {
  readonly text: string;
  readonly bytes: number;
  /** Whether `text` is not all, or not exactly, what was sent. */
  readonly altered: boolean;
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

/** How an attempt was signed, step by step, for somebody whose own computation differs. */
export interface SignatureExplanation {
  readonly scheme: string;
  readonly steps: readonly { readonly title: string; readonly text: string; readonly code: string | null }[];
  /** A program that computes the signature from the secret and the body, to be copied. */
  readonly program: string;
  /** Whether the attempt was signed as a genuine one is. */
  readonly genuine: boolean;
}

/** What a button has set going. */
export interface Started {
  readonly deliveryIds: readonly string[];
}
