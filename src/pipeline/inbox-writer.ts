import { withTimeout } from "../async.ts";
import { type DeliveryHeaders, plainHeaders, type Reply } from "../delivery.ts";
import { WebhookError } from "../errors.ts";
import type { Inbox } from "../inbox/inbox.ts";
import { type InboxMessage, isTracestate } from "../inbox/message.ts";
import type { ReceivingTelemetry } from "../telemetry/telemetry.ts";
import type { Admitted, Arrival } from "./admission.ts";
import { askOption } from "./ask-option.ts";
import type { Deadline } from "./deadline.ts";
import type { Settings } from "./options.ts";
import type { DuplicateOutcome, InFlightOutcome } from "./outcome.ts";
import { RECEIVED } from "./reply.ts";
import { reported } from "./report.ts";

/** An inbox that does not answer for this long has failed. */
const ADD_TIMEOUT_MS = 10_000;
/** How many events the inbox may be storing at once before others are refused: each stays in memory for as long as it hangs. */
const MAX_STORING = 1_000;
/** When to come again if the other process that stores the event does not say. */
const IN_FLIGHT_MS = 5_000;

/** Stores the events of one receiver in its inbox. */
export class InboxWriter {
  readonly #inbox: Inbox;
  readonly #settings: Settings;
  #storing = 0;

  constructor(inbox: Inbox, settings: Settings) {
    this.#inbox = inbox;
    this.#settings = settings;
  }

  /** Whether the inbox is storing an event. */
  get busy(): boolean {
    return this.#storing > 0;
  }

  /**
   * Stores an event. The answer is 2xx only once it is stored.
   *
   * @throws WebhookError `inbox_full` or `inbox_unavailable`, or `receiver_failed` for a faulty `orderBy`
   */
  async store(
    admitted: Admitted,
    { delivery, deadline, report, receiving }: Arrival,
  ): Promise<Reply | DuplicateOutcome | InFlightOutcome> {
    const { event, retentionMs } = admitted;
    const { id: eventId } = event;
    const { orderBy } = this.#settings;
    const orderingKey = orderBy && askOption("orderBy", "receiver_failed", () => orderBy(event));
    const message = messageOf(admitted, delivery.headers, { orderingKey, trace: traceOf(receiving) });
    try {
      const added = await this.#add(message, retentionMs, deadline);
      report.lap("claimMs");
      if (added === "duplicate") return reported({ kind: "duplicate", eventId }, report);
      report.send({ outcome: "accepted", status: RECEIVED.status });
      return RECEIVED;
    } catch (error) {
      if (!(error instanceof WebhookError) || error.code !== "event_in_flight") throw error;
      const { retryAfterMs = IN_FLIGHT_MS } = error;
      return reported({ kind: "in_flight", eventId, retryAfterMs }, report);
    }
  }

  async #add(
    message: InboxMessage,
    retentionMs: number,
    deadline: Deadline | undefined,
  ): Promise<"added" | "duplicate"> {
    const leftMs = (deadline?.storeBy ?? Number.POSITIVE_INFINITY) - performance.now();
    if (this.#storing >= MAX_STORING) throw unavailable(new Error(`${MAX_STORING} events wait for the inbox`));
    try {
      const answer = this.#counted(() => this.#inbox.add(message, { retentionMs }));
      const added: unknown = await withTimeout(answer, Math.max(1, Math.min(ADD_TIMEOUT_MS, leftMs)));
      if (added === "added" || added === "duplicate") return added;
      throw new Error("the inbox's add answered with neither added nor duplicate");
    } catch (error) {
      const passedOn = error instanceof WebhookError && ANSWERS.has(error.code);
      throw passedOn ? error : unavailable(error);
    }
  }

  /** Counts until `add` settles, even after the timeout. */
  async #counted<Answer>(add: () => Promise<Answer>): Promise<Answer> {
    this.#storing += 1;
    try {
      return await add();
    } finally {
      this.#storing -= 1;
    }
  }
}

/** What an inbox may say of an event. Everything else is a failure of its own. */
const ANSWERS: ReadonlySet<string> = new Set(["inbox_full", "event_in_flight"]);

function unavailable(cause: unknown): WebhookError {
  return new WebhookError("inbox_unavailable", "the inbox failed to store the event", { cause });
}

/** Headers that are nobody's business in a queue. */
const CREDENTIALS: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie"]);

/** Keeps a byte order mark, so that the text is exactly what was signed. Parsing has refused bytes that are not UTF-8. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What a message has beside the delivery. */
interface Storing {
  readonly orderingKey: string | undefined;
  readonly trace: Pick<InboxMessage, "traceparent" | "tracestate">;
}

/** The trace context to store. A `tracestate` means nothing without its `traceparent`. */
function traceOf(receiving: ReceivingTelemetry | undefined): Storing["trace"] {
  const { traceparent, tracestate } = receiving ?? {};
  if (!traceparent) return {};
  return { traceparent, ...(isTracestate(tracestate) && { tracestate }) };
}

/** The message that an inbox stores for an event. */
function messageOf(admitted: Admitted, headers: DeliveryHeaders, { orderingKey, trace }: Storing): InboxMessage {
  const { event, storeKey, identifiedBy, rawBody, receivedAt, secretIndex } = admitted;
  return {
    v: 1,
    key: storeKey,
    id: event.id,
    type: event.type,
    body: utf8.decode(rawBody),
    headers: withoutCredentials(plainHeaders(headers)),
    identifiedBy,
    receivedAt: receivedAt.getTime(),
    secretIndex,
    ...(orderingKey && { orderingKey }),
    ...trace,
  };
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.has(name)));
}
