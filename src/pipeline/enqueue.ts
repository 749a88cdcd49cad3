import { ignoreRejection, withTimeout } from "../async.ts";
import { type Delivery, plainHeaders } from "../delivery.ts";
import { WebhookError } from "../errors.ts";
import type { BluumEvent } from "../events/event.ts";
import type { Inbox } from "../inbox/inbox.ts";
import type { InboxMessage } from "../inbox/message.ts";
import type { Admitted } from "./admission.ts";
import type { OrderByOption } from "./options.ts";

/** An inbox that does not answer for this long has failed. */
const ADD_TIMEOUT_MS = 10_000;

/** Headers that are nobody's business in a queue. */
const CREDENTIALS: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie"]);

/** Keeps a byte order mark, so that the text is exactly what was signed. Parsing has refused bytes that are not UTF-8. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The message that an inbox stores for an event. */
export function messageOf(
  admitted: Admitted,
  { headers }: Delivery,
  key: string,
  orderingKey: string | undefined,
): InboxMessage {
  const { identity, envelope, rawBody, receivedAt, secretIndex } = admitted;
  return {
    v: 1,
    key,
    id: identity.id,
    type: envelope.type,
    body: utf8.decode(rawBody),
    headers: withoutCredentials(plainHeaders(headers)),
    identifiedBy: identity.identifiedBy,
    receivedAt: receivedAt.getTime(),
    secretIndex,
    ...(orderingKey && { orderingKey }),
  };
}

/**
 * Stores a message. Only when this resolves may the delivery be answered 2xx.
 *
 * @param timeLeftMs how long this process still runs, if that is known
 * @throws WebhookError `inbox_full`, `event_in_flight` or `inbox_unavailable`
 */
export async function addToInbox(
  inbox: Inbox,
  message: InboxMessage,
  retentionMs: number,
  timeLeftMs: number = ADD_TIMEOUT_MS,
): Promise<"added" | "duplicate"> {
  try {
    const added = Promise.resolve().then(() => inbox.add(message, { retentionMs }));
    const answer: unknown = await withTimeout(added, Math.max(1, Math.min(ADD_TIMEOUT_MS, timeLeftMs)));
    if (answer === "added" || answer === "duplicate") return answer;
    throw new Error("the inbox's add answered with neither added nor duplicate");
  } catch (cause) {
    if (cause instanceof WebhookError && PASSED_ON.has(cause.code)) throw cause;
    throw new WebhookError("inbox_unavailable", "the inbox failed to store the event", { cause });
  }
}

const PASSED_ON: ReadonlySet<string> = new Set(["inbox_full", "event_in_flight"]);

/**
 * Asks the option for the ordering key of an event.
 *
 * @throws WebhookError `receiver_failed` if it throws, or returns something else than a string
 */
export function orderingKeyOf(event: BluumEvent, orderBy: OrderByOption | undefined): string | undefined {
  if (orderBy === undefined) return undefined;
  let answer: unknown;
  try {
    answer = orderBy(event);
  } catch (cause) {
    throw new WebhookError("receiver_failed", "the orderBy option threw", { cause });
  }
  if (answer === undefined || typeof answer === "string") return answer;
  ignoreRejection(answer);
  throw new WebhookError("receiver_failed", `the orderBy option returned ${typeof answer}, not a string`);
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.has(name)));
}
