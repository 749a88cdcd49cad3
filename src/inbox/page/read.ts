import { KNOWN_EVENT_TYPES } from "../../bluum/catalogue.ts";
import { Refused } from "../../page/server/refused.ts";
import type { ParkedEvent, ParkedQuery } from "../inbox.ts";
import type { EventDetail, Overview, ParkedList, ParkedRow } from "./api.ts";
import { checkedKey, checkedText } from "./checked.ts";
import type { InspectedInbox } from "./options.ts";
import { type Mask, payloadView } from "./payload-view.ts";

/** How many parked events one page of the list has. Each is read from the inbox with its whole body. */
const PAGE_SIZE = 50;
/** Longer texts are cut: an id may be as long as a whole body. Keys are never so long. */
const LONGEST_TEXT = 300;

/** The inbox's name, its counts, and the types to choose from. */
export async function readOverview(inbox: InspectedInbox): Promise<Overview> {
  return { engine: inbox.name, counts: await inbox.stats(), types: KNOWN_EVENT_TYPES };
}

/** One page of the parked events. @throws Refused, or WebhookError `configuration_invalid` for a cursor of another list */
export async function readParked(inbox: InspectedInbox, query: URLSearchParams): Promise<ParkedList> {
  const [type, key, cursor] = ["type", "key", "cursor"].map((name) => checkedText(name, query.get(name)));
  const wanted: ParkedQuery = {
    limit: PAGE_SIZE,
    ...(type !== undefined && { type }),
    ...(key !== undefined && { keys: [key] }),
    ...(cursor !== undefined && { cursor }),
  };
  const { events, cursor: next = null } = await inbox.parked(wanted);
  return { events: events.map(rowOf), cursor: next };
}

/** A parked event with everything that is known about it. @throws Refused 404 if it is not parked */
export async function readEvent(inbox: InspectedInbox, query: URLSearchParams, mask: Mask): Promise<EventDetail> {
  const { events } = await inbox.parked({ keys: [checkedKey(query.get("key"))], limit: 1 });
  const [event] = events;
  if (event === undefined) throw new Refused(404, "not_found", "This event is not parked any more.");
  return { ...rowOf(event), error: event.error, message: await messageDetail(event, mask) };
}

function rowOf({ key, id, type, attempts, parkedAt, error }: ParkedEvent): ParkedRow {
  const texts = { id: cut(id), type: cut(type), error: cut(error.message) };
  return { key, ...texts, attempts, parkedAt: parkedAt.getTime() };
}

async function messageDetail({ message, key, id, type }: ParkedEvent, mask: Mask): Promise<EventDetail["message"]> {
  if (message === undefined) return null;
  const { receivedAt, identifiedBy, orderingKey = null, traceparent = null, headers = {}, body } = message;
  return {
    ...{ receivedAt, identifiedBy, traceparent },
    orderingKey: orderingKey && cut(orderingKey),
    headers: Object.entries(headers),
    payload: await payloadView(body, { key, id, type }, mask),
    masked: mask.apply !== undefined,
  };
}

function cut(text: string): string {
  return text.slice(0, LONGEST_TEXT);
}
