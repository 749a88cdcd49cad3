import { createHash } from "node:crypto";
import { WebhookError } from "../../errors.ts";
import type { Row } from "../../stores/postgres/client.ts";
import type { InboxMessage } from "../message.ts";

/** A job that a worker has fetched. `retryCount` grows with each start, so it names this one. */
export interface FetchedJob {
  readonly queue: string;
  readonly id: string;
  readonly retryCount: number;
  readonly data: unknown;
  readonly singletonKey: string | null;
  /** What was stored with the attempt before. */
  readonly output: unknown;
}

/** A job from what pg-boss fetched, or from a row of its table. */
export function fetchedJob(row: Row): FetchedJob {
  const { name, id, data, output, retryCount = row.retry_count, singletonKey = row.singleton_key ?? null } = row;
  return {
    queue: String(name),
    id: String(id),
    retryCount: Number(retryCount),
    data,
    output,
    singletonKey: typeof singletonKey === "string" ? singletonKey : null,
  };
}

/** A message that `jsonb` cannot hold, as text. */
interface Wrapped {
  readonly key: string;
  readonly type: string;
  readonly json: string;
}

/** The data of a job: the message itself, so that the dashboards of pg-boss show it; as text only where `jsonb` cannot hold it. */
export function dataOf(message: InboxMessage): object {
  const json = JSON.stringify(message);
  // `jsonb` has no NUL and no lone surrogate. In JSON both are escapes.
  if (!/\\u(0000|d[89a-f])/i.test(json)) return message;
  return { key: message.key, type: storable(message.type), json } satisfies Wrapped;
}

/**
 * The message in the data of a job, unchecked.
 *
 * @throws WebhookError `inbox_message_invalid` if it is text that is no JSON
 */
export function messageOf(data: unknown): unknown {
  const { json, v } = Object(data) as Partial<Wrapped & InboxMessage>;
  if (typeof json !== "string" || v !== undefined) return data;
  try {
    return JSON.parse(json);
  } catch {
    throw new WebhookError("inbox_message_invalid", "a message of the inbox is not JSON");
  }
}

/** The key of a job for the report, also where its message was altered. */
export function keyOf({ data, singletonKey, id }: FetchedJob): string {
  const { key } = Object(data) as Partial<Wrapped>;
  if (typeof key === "string") return key;
  return singletonKey?.startsWith(KEY) === true ? singletonKey.slice(KEY.length) : id;
}

/** The type of a job for the report; empty if its message was altered. */
export function typeOf({ data }: FetchedJob): string {
  const { type } = Object(data) as Partial<Wrapped>;
  return typeof type === "string" ? type : "";
}

const KEY = "key:";
const ORDER = "order:";

/** The singleton key of a job: which others it waits for in an ordered queue, and which event it is in the other. */
export function singletonKeyOf({ key, orderingKey }: InboxMessage): string {
  return orderingKey === undefined ? KEY + key : ORDER + indexable(storable(orderingKey));
}

/** The most characters of an ordering key that is kept as it is. */
const LONGEST_ORDERING_KEY = 200;

/** A text as an index of PostgreSQL takes it: beyond 2,704 bytes it refuses the job, and the event could never be accepted. */
function indexable(text: string): string {
  if (text.length <= LONGEST_ORDERING_KEY) return text;
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** A text as PostgreSQL can store it. */
export function storable(text: string): string {
  return text.replace(/[\0\p{Surrogate}]/gu, "\ufffd");
}
