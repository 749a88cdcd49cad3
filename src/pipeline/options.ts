import { BLUUM_RETRY_HORIZON_MS } from "../bluum/retry-schedule.ts";
import { bluumSignature } from "../bluum/signature.ts";
import type { BluumEvent } from "../events/event.ts";
import type { Inbox } from "../inbox/inbox.ts";
import { checksFor } from "../options.ts";
import type { SignatureScheme } from "../schemes/scheme.ts";
import type { DedupeStore } from "../stores/store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { EventIdOption } from "./identity.ts";
import type { Logger } from "./log.ts";
import type { EventTypeOption } from "./parse.ts";
import type { DeliveryReport } from "./report.ts";
import type { SecretsOption } from "./secrets.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MEBIBYTE = 1024 * 1024;

const { invalid, names, integer, oneOf, callable, methods } = checksFor("createReceiver");

/** Names the order of events: those of one key are processed one after the other. `""` or `undefined`: in no order. */
export type OrderByOption = (event: BluumEvent) => string | undefined;

/** What `createReceiver` takes. Wrong values are refused at creation, with the option's name. */
export interface ReceiverOptions {
  /**
   * The webhook's secret; several during a rotation; or a function that asks a secret manager. Its answer is used for 10 s, and asked
   * for again at once, at most once a second, where a signature does not match.
   */
  readonly secret: SecretsOption;
  /** How long the function form of `secret` may take, in milliseconds. @default 5_000 */
  readonly secretTimeoutMs?: number;
  /** How deliveries are signed. @default bluumSignature() */
  readonly scheme?: SignatureScheme;
  /** The dedupe store. @default the inbox's, or a memoryStore() of its own */
  readonly store?: DedupeStore;
  /**
   * A durable inbox: deliveries are answered 2xx once their event is stored, and a worker runs the handlers (see `Receiver.work`).
   * @default none: handlers run before the reply
   */
  readonly inbox?: Inbox;
  /**
   * With an inbox, names the order of events: those of one key are processed one after the other, in the order in which they were
   * accepted. `""` or `undefined` for an event that needs no order. Refused for inboxes that cannot keep an order. @see OrderByOption
   */
  readonly orderBy?: OrderByOption;
  /**
   * This endpoint's own name, of `[A-Za-z0-9_.-]{1,64}`. Required with the options `store` and `inbox`, even for a `memoryStore()`: two
   * receivers under one name in one store would take each other's events for duplicates. @default "default", in a store of the
   * receiver's own
   */
  readonly namespace?: string;
  /**
   * How long a processed event is remembered, in milliseconds; at least {@link BLUUM_RETRY_HORIZON_MS}, and twice the `toleranceMs` of a
   * scheme that signs a timestamp. Where the scheme signs none, an event whose own time is ahead of the clock is remembered longer by
   * as much, at most a year. @default 7 days
   */
  readonly retentionMs?: number;
  /**
   * How long a claim stands without renewal, in milliseconds; from 1_000 to 55_000, so that a crash frees the event before
   * Bluum's first retry, a minute later. Renewed at a third of it. @default 30_000
   */
  readonly leaseMs?: number;
  /**
   * How long an event may be processed, in milliseconds; from `leaseMs` to 2 h. Then renewal stops and `context.signal`
   * aborts. @default 15 minutes
   */
  readonly maxProcessingMs?: number;
  /**
   * How old an event may be by its own signed payload time, in milliseconds; from {@link BLUUM_RETRY_HORIZON_MS} to
   * `retentionMs`. Applies where the scheme signs no timestamp. @default retentionMs
   */
  readonly maxEventAgeMs?: number;
  /** The most bytes a body may have. @default 1 MiB */
  readonly maxBodyBytes?: number;
  /** How long a body may take to arrive, in milliseconds. @default 10_000 */
  readonly bodyTimeoutMs?: number;
  /**
   * Names an event's id where the default order does not fit, or where events without an id may have identical bytes.
   * @see EventIdOption
   */
  readonly eventId?: EventIdOption;
  /**
   * Names an event's type where the body has it in another place than `event` or `type`.
   * @see EventTypeOption
   */
  readonly eventType?: EventTypeOption;
  /** Parses JSON, at once; for instance without loss of large numbers. @default JSON.parse */
  readonly parseJson?: (text: string) => unknown;
  /**
   * What happens when the store fails at the claim: `"reject"` answers 503, so that the provider retries; `"accept"`
   * processes the event with `context.deduplicated` false, and it may run twice. @default "reject"
   */
  readonly onStoreError?: "reject" | "accept";
  /** The answer of `handle` to an event that no handler matches: 200 with `"unhandled":true`, or 500. @default "acknowledge" */
  readonly onUnhandled?: "acknowledge" | "reject";
  /** Traces and metrics: `openTelemetry()` of `bluum-webhooks/opentelemetry`. What it throws is ignored. @default none */
  readonly telemetry?: Telemetry;
  /** Called once for each delivery, for metrics. What it throws is ignored. */
  readonly observe?: (report: DeliveryReport) => void;
  /**
   * Where the operator's lines go: `console`, winston, pino, bunyan or your own (see {@link Logger}); `false` for nowhere. At most ten
   * lines a minute for each handler and event type that fails, one for anything else. @default console
   */
  readonly logger?: Logger | false;
  /** The wall clock, epoch milliseconds, for tests. Leases are timed monotonically. @default Date.now */
  readonly now?: () => number;
}

/** The options with their defaults; options without a default may be undefined. */
export type Settings = Required<Omit<ReceiverOptions, NoDefault>> & {
  readonly [K in NoDefault]: ReceiverOptions[K] | undefined;
};
type NoDefault = "store" | "inbox" | "orderBy" | "eventType" | "eventId" | "telemetry" | "observe";

const NAMES: Readonly<Record<keyof ReceiverOptions, true>> = {
  secret: true,
  secretTimeoutMs: true,
  scheme: true,
  store: true,
  inbox: true,
  orderBy: true,
  namespace: true,
  retentionMs: true,
  leaseMs: true,
  maxProcessingMs: true,
  maxEventAgeMs: true,
  maxBodyBytes: true,
  bodyTimeoutMs: true,
  eventType: true,
  eventId: true,
  parseJson: true,
  onStoreError: true,
  onUnhandled: true,
  telemetry: true,
  observe: true,
  logger: true,
  now: true,
};

/**
 * Checks the options and fills in the defaults. The secret is checked where its keys are made.
 *
 * @throws WebhookError `configuration_invalid`, naming the option
 */
export function settingsOf(options: ReceiverOptions): Settings {
  names(options, Object.keys(NAMES));
  // Defaults stand in for what is missing, never for null or another wrong value.
  const { retentionMs = 7 * DAY_MS, leaseMs = 30 * SECOND_MS, secretTimeoutMs = 5 * SECOND_MS } = options;
  const { maxProcessingMs = 15 * MINUTE_MS, maxEventAgeMs = retentionMs } = options;
  const { maxBodyBytes = MEBIBYTE, bodyTimeoutMs = 10 * SECOND_MS } = options;
  const { scheme = bluumSignature(), store, logger = console, parseJson = JSON.parse, now = Date.now } = options;
  const { onStoreError = "reject", onUnhandled = "acknowledge" } = options;
  return {
    secret: options.secret,
    secretTimeoutMs: integer("secretTimeoutMs", secretTimeoutMs, 1, 30 * SECOND_MS),
    scheme: methods("scheme", scheme, ["prepare", "read", "verify"]),
    store: store === undefined ? undefined : methods("store", store, ["claim", "renew", "complete", "release"]),
    inbox: options.inbox === undefined ? undefined : methods("inbox", options.inbox, ["add", "work", "stats"]),
    orderBy: orderByOf(options),
    namespace: namespaceOf(options),
    retentionMs: retentionFor(scheme, integer("retentionMs", retentionMs, BLUUM_RETRY_HORIZON_MS, 3650 * DAY_MS)),
    leaseMs: integer("leaseMs", leaseMs, SECOND_MS, 55 * SECOND_MS),
    maxProcessingMs: integer("maxProcessingMs", maxProcessingMs, leaseMs, 2 * HOUR_MS),
    maxEventAgeMs: integer("maxEventAgeMs", maxEventAgeMs, BLUUM_RETRY_HORIZON_MS, retentionMs),
    maxBodyBytes: integer("maxBodyBytes", maxBodyBytes, 1, 256 * MEBIBYTE),
    bodyTimeoutMs: integer("bodyTimeoutMs", bodyTimeoutMs, 1, 2 * MINUTE_MS),
    eventType: callable("eventType", options.eventType),
    eventId: callable("eventId", options.eventId),
    parseJson: callable("parseJson", parseJson),
    onStoreError: oneOf("onStoreError", onStoreError, ["reject", "accept"]),
    onUnhandled: oneOf("onUnhandled", onUnhandled, ["acknowledge", "reject"]),
    telemetry: options.telemetry === undefined ? undefined : methods("telemetry", options.telemetry, ["start"]),
    observe: callable("observe", options.observe),
    logger: logger === false ? false : methods("logger", logger, ["warn", "error"]),
    now: callable("now", now),
  };
}

function orderByOf({ orderBy, inbox }: ReceiverOptions): OrderByOption | undefined {
  if (orderBy === undefined) return undefined;
  if (inbox === undefined) throw invalid("orderBy", "needs the option inbox");
  if (inbox.noOrder !== undefined) throw invalid("orderBy", `is not possible with this inbox: ${inbox.noOrder}`);
  return callable("orderBy", orderBy);
}

function namespaceOf({ namespace, store, inbox }: ReceiverOptions): string {
  if (namespace === undefined) {
    if (store === undefined && inbox === undefined) return "default";
    throw invalid(
      "namespace",
      'is required with the options store and inbox, which other receivers may share: give this endpoint a name of its own, such as "orders-api"',
    );
  }
  if (typeof namespace === "string" && /^[A-Za-z0-9_.-]{1,64}$/.test(namespace)) return namespace;
  throw invalid("namespace", "must be 1 to 64 characters of A-Z, a-z, 0-9, _ . and -");
}

/** A delivery signed ahead of the clock is valid for twice the tolerance; forgotten before that, it could be replayed. */
function retentionFor({ toleranceMs = 0 }: SignatureScheme, retentionMs: number): number {
  if (!Number.isFinite(toleranceMs) || toleranceMs < 0)
    throw invalid("scheme", "has a toleranceMs that is no number of milliseconds");
  if (retentionMs >= 2 * toleranceMs) return retentionMs;
  throw invalid("retentionMs", `must be at least twice the scheme's toleranceMs (${toleranceMs})`);
}
