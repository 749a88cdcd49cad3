import type { BodyView } from "../../page/body.ts";
import type { InboxFailure, InboxStats } from "../inbox.ts";

/**
 * The API between the inbox's page and its server. Every call goes to the page's own address with a query, so that the page works
 * wherever it is mounted. Times are epoch milliseconds.
 *
 * | call | answer |
 * |---|---|
 * | `GET ?call=overview` | {@link Overview} |
 * | `GET ?call=parked&type=&key=&cursor=` | {@link ParkedList} |
 * | `GET ?call=event&key=` | {@link EventDetail}; 404 if it is not parked any more |
 * | `GET ?call=counts` (server-sent events) | `event: counts`, data `InboxStats`, whenever they change; `event: trouble` while the inbox does not answer |
 * | `POST ?call=redrive`, `POST ?call=discard`, body `{ keys }`, `{ type }` or `{ all: true }` | {@link Done} |
 *
 * An error is `{ error: { code, message } }` with a 4xx or 5xx. A request that is not authorized is answered 403 without content.
 */
export interface Overview {
  /** The inbox's name. */
  readonly engine: string;
  readonly counts: InboxStats;
  /** The types of Bluum's events, to choose from. */
  readonly types: readonly string[];
}

/** One page of the parked events, the oldest first. */
export interface ParkedList {
  readonly events: readonly ParkedRow[];
  /** null on the last page. */
  readonly cursor: string | null;
}

/** A parked event in the list. */
export interface ParkedRow {
  readonly key: string;
  /** Cut to 300 characters, as are `type` and `error`. */
  readonly id: string;
  readonly type: string;
  readonly attempts: number;
  readonly parkedAt: number;
  readonly error: string;
}

/** A parked event with everything that is known about it. */
export interface EventDetail extends Omit<ParkedRow, "error"> {
  readonly error: InboxFailure;
  /** null if the stored message cannot be read any more. */
  readonly message: MessageDetail | null;
}

/** The message of a parked event. */
export interface MessageDetail {
  readonly receivedAt: number;
  readonly identifiedBy: string;
  readonly orderingKey: string | null;
  readonly traceparent: string | null;
  readonly headers: readonly (readonly [string, string])[];
  /** null if `mask` failed, or gave nothing. */
  readonly payload: BodyView | null;
  /** Whether it went through `mask`. */
  readonly masked: boolean;
}

/** How many events an action took. */
export interface Done {
  readonly count: number;
}

/** Sent by the page with each action: a form of a foreign page cannot set it. */
export const PAGE_HEADER = "x-bluum-inbox-page";
