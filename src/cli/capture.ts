/**
 * One delivery kept in a file, `<time>-<n>.json`, as `listen --save` writes it and `detect` reads it: exactly what came over the
 * wire. Readable where the body is UTF-8; otherwise base64.
 */
export interface Capture {
  readonly version: 1;
  /** ISO 8601, by the clock of who received it. */
  readonly receivedAt: string;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Names and values in turn, in the order and the case of the wire. */
  readonly rawHeaders: readonly string[];
  /** The body's text, where its bytes are UTF-8; else absent. */
  readonly body?: string;
  /** The body's bytes, where they are not UTF-8. */
  readonly bodyBase64?: string;
}
