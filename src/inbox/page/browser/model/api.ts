import { callerOf } from "../../../../page/model/call.ts";
import type { ParkedSelection } from "../../../inbox.ts";
import { type Done, type EventDetail, type Overview, PAGE_HEADER, type ParkedList } from "../../api.ts";

const call = callerOf("The server", {
  headers: { [PAGE_HEADER]: "1" },
  words: { 403: "You may not see this page any more. Load it again to sign in." },
});

/** What an action does with parked events. */
export type Deed = "redrive" | "discard";

/** The stream of counts. */
export const COUNTS_PATH: string = pathOf("counts");

export function fetchOverview(): Promise<Overview> {
  return call("GET", pathOf("overview"));
}

export function fetchParked(query: Readonly<Record<"type" | "key" | "cursor", string>>): Promise<ParkedList> {
  return call("GET", pathOf("parked", query));
}

export function fetchEvent(key: string): Promise<EventDetail> {
  return call("GET", pathOf("event", { key }));
}

export function post(deed: Deed, selection: ParkedSelection): Promise<Done> {
  return call("POST", pathOf(deed), selection);
}

/** Only a query: it goes to the page's own address, wherever that is mounted. */
function pathOf(name: string, query: Readonly<Record<string, string>> = {}): string {
  return `?${new URLSearchParams({ call: name, ...query })}`;
}
