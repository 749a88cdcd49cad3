import { type Route, routeTo } from "../../../../page/model/route.ts";

/** The key of the event in the page's address. */
export const { opened, walkedTo, open, close }: Route = routeTo("events");

/** The address that opens an event. */
export function addressOf(key: string): string {
  return `#/events/${encodeURIComponent(key)}`;
}
