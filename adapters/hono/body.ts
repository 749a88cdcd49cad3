import type { Context, HonoRequest } from "hono";
import type { BodyLimits } from "../../src/adapter.ts";
import { alreadyRead, readBody, withinTime } from "../fetch/body.ts";

const REMEDY =
  "mount the receiver before what calls c.req.json(), c.req.text() or c.req.parseBody(), or let that call c.req.arrayBuffer() or c.req.blob(), whose bytes are exact";

/** Hono's types declare the values themselves; at run time they are promises. */
type BodyCache = { arrayBuffer?: Promise<ArrayBufferLike>; blob?: Promise<Blob> };

/**
 * The exact bytes of a request, which stay in Hono's body cache for later calls of `c.req`. Bytes that an earlier
 * `c.req.arrayBuffer()` or `c.req.blob()` left there are exact; text and JSON are not.
 */
export async function readHonoBody(c: Context, limits: BodyLimits): Promise<Uint8Array> {
  const { req } = c;
  const { bodyCache } = req as unknown as { bodyCache: BodyCache };
  if (bodyCache.arrayBuffer !== undefined) return new Uint8Array(await bodyCache.arrayBuffer);
  if (bodyCache.blob !== undefined) return new Uint8Array(await (await bodyCache.blob).arrayBuffer());
  if (isSmallOnNode(c, limits) && !req.raw.bodyUsed) return readSmall(req, limits);
  const bytes = await readBody(req.raw, limits, REMEDY);
  bodyCache.arrayBuffer = Promise.resolve(bytes.buffer);
  return bytes;
}

const SMALL_BYTES = 16 * 1024;

/**
 * Whether Hono itself may buffer the body, which it does without limits: on Node, where the HTTP parser ends a body at its
 * Content-Length. Reading `c.req.raw.body` there makes a request take more than twice as long.
 */
function isSmallOnNode(c: Context, { maxBytes }: BodyLimits): boolean {
  const length = c.req.header("content-length");
  return isOnNode(c) && length !== undefined && Number(length) <= Math.min(SMALL_BYTES, maxBytes);
}

/** Whether the app runs on `@hono/node-server`. */
export function isOnNode({ env }: Context): boolean {
  return env?.incoming !== undefined;
}

async function readSmall(req: HonoRequest, { timeoutMs }: BodyLimits): Promise<Uint8Array> {
  try {
    return new Uint8Array(await withinTime(req.arrayBuffer(), timeoutMs));
  } catch (error) {
    // If the body is unused even now, another reader holds it.
    throw req.raw.bodyUsed ? error : alreadyRead(REMEDY);
  }
}
