import type { ServerResponse } from "node:http";
import { isSuccess, type Reply, refusal } from "../../src/adapter.ts";

/**
 * Calls back with the status when `res.end()` is called for the first time. From then on a failure stays one, whatever status middleware
 * further out sets. If the response is never ended, there is no callback, and the claim stands until `maxProcessingMs`.
 */
export function atEnd(res: ServerResponse, onEnd: (status: number) => void): void {
  // The events `finish` and `close` would not do: if the sender disconnects, `finish` never comes, and the work may still succeed.
  const end = res.end as (...args: unknown[]) => ServerResponse;
  let ended = false;
  function observedEnd(this: ServerResponse, ...args: unknown[]): ServerResponse {
    if (!ended && !isSuccess(this.statusCode)) refuseSuccess(this);
    const result = end.apply(this, args);
    if (!ended) onEnd(this.statusCode);
    ended = true;
    return result;
  }
  res.end = observedEnd as ServerResponse["end"];
}

/** Replaces a 2xx answer to a failed event or a refused delivery by a reply. */
export function refuseSuccess(res: ServerResponse, reply: Reply = refusal("handler_failed")): void {
  const end = res.end as (...args: unknown[]) => ServerResponse;
  const writeHead = res.writeHead as (status: number, ...rest: unknown[]) => ServerResponse;
  const { status: failure, headers, body } = reply;
  function refusingEnd(this: ServerResponse, ...args: unknown[]): ServerResponse {
    // A status that was sent before stands.
    if (this.headersSent || !isSuccess(this.statusCode)) return end.apply(this, args);
    const callback = args.find((arg) => typeof arg === "function");
    for (const name of this.getHeaderNames()) this.removeHeader(name);
    this.statusCode = failure;
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
    return end.call(this, body, callback);
  }
  // Only the status is replaced, if the app calls `writeHead`, or Node does for a streamed body.
  function refusingWriteHead(this: ServerResponse, status: number, ...rest: unknown[]): ServerResponse {
    const sent = isSuccess(status) ? failure : status;
    // Middleware further out may set the status while the headers are sent, for example by the on-headers package.
    Object.defineProperty(this, "statusCode", { get: () => sent, set: () => {}, configurable: true });
    return writeHead.call(this, sent, ...rest);
  }
  res.end = refusingEnd as ServerResponse["end"];
  res.writeHead = refusingWriteHead as ServerResponse["writeHead"];
}
