/**
 * One HTTP request as the receiver sees it, and the answer that goes back. No framework in sight: an adapter builds the
 * first and sends the second.
 */

/** Request headers: a fetch `Headers`, or a record as Node keeps it. Looked up without regard to case. */
export type DeliveryHeaders = Headers | HeaderRecord;
type HeaderRecord = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a body reader must keep to. */
export interface BodyLimits {
  /** The most bytes the body may have; one more is `body_too_large`. */
  readonly maxBytes: number;
  /** The body must be complete within this many milliseconds, else `body_timeout`. */
  readonly timeoutMs: number;
  /**
   * Reserves memory for this body from what the receiver sets aside for all bodies that are read at once; the first 64 KiB of each
   * are free. A reader that buffers calls it with the size of its buffer, in bytes, before the buffer grows to that; `BodyBuffer`
   * does. The receiver gives the memory back when the read settles.
   *
   * @throws WebhookError `receiver_busy` where too little is left: the reader rejects with it
   */
  readonly reserve?: (bufferBytes: number) => void;
}

/**
 * Reads the raw body, within limits. It rejects with a `WebhookError` whose code is `body_too_large`, `body_timeout`,
 * `body_incomplete`, `body_already_parsed` or `receiver_busy`; anything else that it throws counts as `body_incomplete`. The limits are its
 * to keep: the receiver waits until it settles. The bytes belong to the receiver then, and must not change.
 */
export type BodyReader = (limits: BodyLimits) => Promise<Uint8Array>;

/** One webhook request, framework-free. */
export interface Delivery {
  /** The HTTP method as it came; only `POST` is accepted. */
  readonly method: string;
  /** The request's headers. */
  readonly headers: DeliveryHeaders;
  /**
   * The exact bytes that came, or a function that reads them. The function is called only once the headers can still
   * succeed, so an unsigned request costs no body. A string is refused: decoding is lossy.
   */
  readonly body: Uint8Array | BodyReader;
  /**
   * The framework's own request, or another object that belongs to this one request only and is not passed on. By it a receiver
   * recognises a request that it accepted before (mounted twice on one path) instead of refusing it for its drained body.
   */
  readonly request?: object;
  /**
   * How long this process still lives, in milliseconds, counted from the call of the receiver; for platforms that end or
   * freeze it at a set time. The claim's lease never lasts longer. A little earlier (a tenth of the time, at most half a
   * second) `context.signal` aborts, and the answer is 503 `handler_timeout`. @default no end
   */
  readonly timeLeftMs?: number | undefined;
  /**
   * Takes work that may go on after the answer or after the sender has left: the handlers and the settlement of the event, and
   * a completion that the store has not taken yet. For runtimes that end it otherwise. These promises never reject.
   */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
}

/** The answer to a delivery, ready to be sent by any framework. */
export interface Reply {
  /** The HTTP status. */
  readonly status: number;
  /** Headers, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** A JSON text. */
  readonly body: string;
}

/** Looks one header up, without regard to case; `undefined` where it is missing. */
export type HeaderLookup = (name: string) => string | undefined;

/**
 * Makes the look-up for a delivery's headers. A header that was sent several times is its values joined by commas
 * (RFC 9110, section 5.3).
 */
export function headerLookup(headers: DeliveryHeaders): HeaderLookup {
  return isFetchHeaders(headers)
    ? (name) => headers.get(name) ?? undefined
    : (name) => recordHeader(headers, name.toLowerCase());
}

function recordHeader(headers: HeaderRecord, name: string): string | undefined {
  // Node has lower-cased the names already.
  const value = headers[name];
  if (typeof value === "string") return value;
  // A list, a name in another case, one that objects have by nature, or mostly a header that did not come.
  for (const key in headers) {
    if (key.length === name.length && key.toLowerCase() === name && Object.hasOwn(headers, key))
      return joined(headers[key]);
  }
  return undefined;
}

/**
 * The header of every request that `verifyMount` sends, with the value `1`. It is not signed, so anybody can send it: it is
 * reported and logged, and changes nothing else.
 */
export const PROBE_HEADER = "bluum-webhooks-probe";

/** Whether a request claims to be a probe of `verifyMount`. */
export function claimsToBeProbe(headers: DeliveryHeaders): boolean {
  return headerLookup(headers)(PROBE_HEADER) === "1";
}

/** The names of all headers that came, as they came. */
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
 * Whether a value is bytes. By its tag, not by `instanceof`: test runners and bundlers bring a second `Uint8Array` into the
 * process, of which a Buffer is no instance.
 */
export function isBytes(value: unknown): value is Uint8Array {
  if (!ArrayBuffer.isView(value)) return false;
  return value instanceof Uint8Array || (value as Uint8Array)[Symbol.toStringTag] === "Uint8Array";
}
