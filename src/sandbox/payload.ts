import { Buffer } from "node:buffer";
import { KNOWN_EVENT_TYPES } from "../bluum/catalogue.ts";
import { sampleEvent } from "../testing/samples.ts";
import { checks } from "./checks.ts";
import { freshId } from "./identifiers.ts";

/** The largest body that the sandbox sends. */
const MAX_EVENT_BYTES = 256 * 1024;

/** One event, ready to be sent to any number of endpoints. */
export interface SandboxEvent {
  readonly id: string;
  readonly type: string;
  /** The exact bytes, the same for every endpoint and every attempt. */
  readonly body: Buffer;
}

/**
 * Makes an event as Bluum documents it: `{ event, timestamp, data }`.
 *
 * @param data merged into the data of the sample; with `whole`, it replaces that data
 * @param withId puts the event's own id at the top, as `id`
 * @throws WebhookError `configuration_invalid` for a type that cannot be an event name, or data that is not JSON or too large
 */
export function makeEvent(
  type: string,
  data: object | undefined,
  { atMs, withId, whole = false }: { readonly atMs: number; readonly withId: boolean; readonly whole?: boolean },
): SandboxEvent {
  checkType(type);
  checkData(data);
  const id = freshId("evt_");
  const timestamp = wholeSeconds(atMs);
  const sample = sampleEvent(type, { timestamp, ...(whole ? {} : { data: { ...data } }) });
  const payload = { ...(withId ? { id } : {}), ...sample, ...(whole ? { data } : {}) };
  return { id, type, body: bytesOf(payload) };
}

/** RFC 3339 without fractions, as in the documentation. */
export function wholeSeconds(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, "Z");
}

function checkType(type: unknown): void {
  if (typeof type === "string" && type.length <= 128 && /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/i.test(type)) return;
  throw checks.invalid("type", `must be an event name, such as "${KNOWN_EVENT_TYPES[0]}"`);
}

function checkData(data: unknown): void {
  if (data === undefined || (typeof data === "object" && data !== null && !Array.isArray(data))) return;
  throw checks.invalid("data", "must be an object");
}

function bytesOf(payload: object): Buffer {
  let json: string;
  try {
    json = JSON.stringify(payload);
  } catch (error) {
    throw checks.invalid("data", "must be JSON", error);
  }
  const body = Buffer.from(json, "utf8");
  if (body.byteLength > MAX_EVENT_BYTES) throw checks.invalid("data", `must fit into ${MAX_EVENT_BYTES} bytes`);
  return body;
}
