import type { Context } from "hono";
import { isSuccess } from "../../src/adapter.ts";
import { isOnNode } from "./body.ts";

/**
 * Replaces the status of a 2xx answer to a failed event or a refused delivery: a middleware further out may set `c.res`, and a 2xx would
 * acknowledge the event. Does nothing beside Node, where Hono shows the server's own response as `c.env.outgoing`.
 *
 * @param failure the status to answer instead
 */
export function refuseSuccess(c: Context, failure: number): void {
  if (!isOnNode(c)) return;
  const { outgoing } = c.env;
  const { writeHead } = outgoing;
  outgoing.writeHead = (status: number, ...rest: unknown[]) =>
    writeHead.call(outgoing, isSuccess(status) ? failure : status, ...rest);
}
