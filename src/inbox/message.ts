import { WebhookError } from "../errors.ts";

/** An accepted event as an inbox stores it: JSON. */
export interface InboxMessage {
  /** The version of this format. */
  readonly v: 1;
  /** The namespace and the event's key, unique in the inbox: printable ASCII without `:`. */
  readonly key: string;
  /** The event's id. */
  readonly id: string;
  readonly type: string;
  /** The exact text that was signed. */
  readonly body: string;
  /** The headers of the delivery, without credentials. They are not covered by the signature. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How the id was found: `"scheme"`, `"payload"`, `"body_hash"` or `"option"`. */
  readonly identifiedBy: string;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  /** The index of the secret that matched. */
  readonly secretIndex: number;
  /** What `orderBy` named: messages of one key run one after the other. */
  readonly orderingKey?: string;
  /** The trace that the delivery belongs to, by W3C Trace Context. */
  readonly traceparent?: string;
  /** What tracing systems add to `traceparent`: at most 512 printable ASCII characters. */
  readonly tracestate?: string;
}

/**
 * Checks what was read from an inbox.
 *
 * @throws WebhookError `inbox_message_invalid` if it is no message of this format; the text shows nothing of it
 */
export function readMessage(stored: unknown): InboxMessage {
  if (typeof stored !== "object" || stored === null) throw invalid("is not an object");
  const message = stored as Record<string, unknown>;
  const { v } = message;
  if (Number.isInteger(v) && (v as number) > 1)
    throw invalid("was written by a newer version of bluum-webhooks; upgrade this process");
  if (v !== 1) throw invalid("has no version");
  const wrong = Object.entries(FIELDS).find(([field, type]) => typeof message[field] !== type);
  if (wrong !== undefined) throw invalid(`has no ${wrong[0]}`);
  for (const field of ["orderingKey", "traceparent"]) {
    if (message[field] !== undefined && typeof message[field] !== "string") throw invalid(`has a wrong ${field}`);
  }
  if (message.tracestate !== undefined && !isTracestate(message.tracestate)) throw invalid("has a wrong tracestate");
  if (!areHeaders(message.headers)) throw invalid("has wrong headers");
  return stored as InboxMessage;
}

/** Whether a value can be stored as a `tracestate`. W3C Trace Context asks for 512 characters to be passed on. */
export function isTracestate(value: unknown): value is string {
  return typeof value === "string" && /^[\x20-\x7e]{1,512}$/.test(value);
}

/** The message that `read` returns; undefined if it throws, or returns no valid message. For showing what is parked. */
export function messageIn(read: () => unknown): InboxMessage | undefined {
  try {
    return readMessage(read());
  } catch {
    return undefined;
  }
}

const FIELDS = {
  key: "string",
  id: "string",
  type: "string",
  body: "string",
  identifiedBy: "string",
  receivedAt: "number",
  secretIndex: "number",
} as const;

function areHeaders(headers: unknown): boolean {
  if (headers === undefined) return true;
  if (typeof headers !== "object" || headers === null) return false;
  return Object.values(headers).every((value) => typeof value === "string");
}

function invalid(problem: string): WebhookError {
  return new WebhookError("inbox_message_invalid", `a message of the inbox ${problem}`);
}
