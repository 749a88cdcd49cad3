/** One HTTP request as the receiver sees it, and the reply. Neither knows a framework: adapters translate. */

/** Request headers: a fetch `Headers`, or a record as Node keeps it. Names are looked up ignoring case. */
export type DeliveryHeaders = Headers | HeaderRecord;
type HeaderRecord = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The limits that a body reader must enforce. */
export interface BodyLimits {
  /** The most bytes that the body may have; a larger one is `body_too_large`. */
  readonly maxBytes: number;
  /** The body must be complete within this many milliseconds, else `body_timeout`. */
  readonly timeoutMs: number;
  /**
   * Reserves memory for this body from the receiver's budget for all bodies that are read or verified at the same time. The first 64 KiB
   * of each body are free. A reader that buffers must call it with the new size of its buffer, in bytes, before the buffer grows;
   * `BodyBuffer` does. The receiver releases the memory once the body is verified or refused.
   *
   * @param bufferBytes the new size, in bytes
   * @throws WebhookError `receiver_busy` if too little memory is left; the reader must reject with it
   */
  readonly reserve?: (bufferBytes: number) => void;
}

/**
 * Reads the raw body and enforces the limits: the receiver waits until it settles. It rejects with a `WebhookError` whose code is
 * `body_too_large`, `body_timeout`, `body_incomplete`, `body_already_parsed` or `receiver_busy`; any other error counts as
 * `body_incomplete`. The bytes must not change afterwards.
 *
 * @throws WebhookError with one of these codes
 */
export type BodyReader = (limits: BodyLimits) => Promise<Uint8Array>;

/** One webhook request, independent of any framework. */
export interface Delivery {
  /** The HTTP method as it was sent; only `POST` is accepted. */
  readonly method: string;
  /** The request's headers. */
  readonly headers: DeliveryHeaders;
  /**
   * The exact bytes as received, or a function that reads them. It is called only after the headers have passed their checks, so the
   * body of an unsigned request is never read. A string is refused: decoding is lossy.
   *
   * @throws what a {@link BodyReader} throws
   */
  readonly body: Uint8Array | BodyReader;
  /**
   * The framework's request, or another object that belongs to this request alone. With it a receiver that is mounted twice on one
   * path recognises a request that it has already accepted, instead of refusing it because its body was read.
   */
  readonly request?: object;
  /**
   * How long this process still runs, in milliseconds from the call of the receiver; for platforms that end or freeze it at a
   * deadline. The claim's lease never lasts longer. Shortly before the deadline (a tenth of the time, at most half a second)
   * `context.signal` aborts, and the reply is 503 `handler_timeout`. @default no deadline
   */
  readonly timeLeftMs?: number | undefined;
  /**
   * Called with work that may continue after the reply or after the sender has disconnected: handlers, settling the claim, and a
   * completion that is being retried. For runtimes that would stop such work. These promises never reject.
   */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
}

/** The reply to a delivery, for any framework to send. */
export interface Reply {
  /** The HTTP status. */
  readonly status: number;
  /** Headers, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
}

/** Looks up a header, ignoring case; `undefined` if it is missing. */
export type HeaderLookup = (name: string) => string | undefined;

/**
 * Makes the lookup for a delivery's headers. The values of a header that was sent several times are joined by commas (RFC 9110,
 * section 5.3).
 */
export function headerLookup(headers: DeliveryHeaders): HeaderLookup {
  return isFetchHeaders(headers)
    ? (name) => headers.get(name) ?? undefined
    : (name) => recordHeader(headers, name.toLowerCase());
}

function recordHeader(headers: HeaderRecord, name: string): string | undefined {
  // Node has already lower-cased the names.
  const value = headers[name];
  if (typeof value === "string") return value;
  // A list, a name in another case, a name that every object inherits, or (most often) a missing header.
  for (const key in headers) {
    if (key.length === name.length && key.toLowerCase() === name && Object.hasOwn(headers, key))
      return joined(headers[key]);
  }
  return undefined;
}

/**
 * The header of every request that `verifyMount` sends, with the value `1`. It is not signed, so any sender can set it: it only marks
 * reports and log lines.
 */
export const PROBE_HEADER = "bluum-webhooks-probe";

/** Whether a request claims to be a probe of `verifyMount`. */
export function claimsToBeProbe(headers: DeliveryHeaders): boolean {
  return headerLookup(headers)(PROBE_HEADER) === "1";
}

/** The names of all headers, in the case in which they were received. */
export function headerNames(headers: DeliveryHeaders): string[] {
  return isFetchHeaders(headers) ? [...headers.keys()] : Object.keys(headers);
}

/** The headers as a plain object: names in lower case, several values of one name joined by commas. */
export function plainHeaders(headers: DeliveryHeaders): Record<string, string> {
  const lookup = headerLookup(headers);
  return Object.fromEntries(headerNames(headers).map((name) => [name.toLowerCase(), lookup(name) ?? ""]));
}

function isFetchHeaders(headers: DeliveryHeaders): headers is Headers {
  return typeof (headers as { get?: unknown }).get === "function";
}

function joined(value: string | readonly string[] | null | undefined): string | undefined {
  // Some gateways write null where a header is missing.
  return typeof value === "object" ? value?.join(", ") : value;
}

/**
 * Whether a value is a `Uint8Array`. It is recognised by its tag, since `instanceof` fails for arrays of another realm: test runners
 * and bundlers bring a second `Uint8Array` into the process.
 */
export function isBytes(value: unknown): value is Uint8Array {
  if (!ArrayBuffer.isView(value)) return false;
  return value instanceof Uint8Array || (value as Uint8Array)[Symbol.toStringTag] === "Uint8Array";
}
