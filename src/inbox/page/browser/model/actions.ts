import { signal } from "@preact/signals";
import { reasonOf } from "../../../../page/model/call.ts";
import { reportDone, reportError, reportNothing } from "../../../../page/model/notices.ts";
import { visible } from "../../../../page/model/visible-text.ts";
import { plural } from "../../../../page/model/words.ts";
import type { ParkedSelection } from "../../../inbox.ts";
import { type Deed, post } from "./api.ts";
import { refreshCounts } from "./counts.ts";
import { load } from "./parked.ts";
import { close, opened } from "./route.ts";

/** Whether an action is running. There is one at a time. */
export const isBusy = signal(false);

/** What is to be confirmed before it is done. */
export interface Question {
  readonly deed: Deed;
  readonly selection: ParkedSelection;
  /** Which events, as in "Discard 3 events". */
  readonly which: string;
}

/** The open question; null if there is none. */
export const question = signal<Question | null>(null);

/** Redrives at once what was chosen one by one. Everything else is asked first: what is discarded is gone for good. */
export function request(deed: Deed, selection: ParkedSelection): void {
  if (isBusy.value) return;
  if (deed === "redrive" && "keys" in selection) void carryOut(deed, selection);
  else question.value = { deed, selection, which: wordsOf(selection) };
}

function wordsOf(selection: ParkedSelection): string {
  if ("keys" in selection) return plural(selection.keys.length, "event");
  if ("type" in selection) return `all events of the type ${visible(selection.type)}`;
  return "all parked events";
}

/** Does it, and reports the result as a notice. Never rejects. */
export async function carryOut(deed: Deed, selection: ParkedSelection): Promise<void> {
  isBusy.value = true;
  try {
    report(deed, (await post(deed, selection)).count);
    closeIfTaken(selection);
  } catch (error) {
    reportError(`${deed === "redrive" ? "Redrive" : "Discard"}: ${reasonOf(error)}`);
  }
  isBusy.value = false;
  await Promise.all([load(), refreshCounts()]);
}

function report(deed: Deed, count: number): void {
  if (count === 0) reportNothing("None of these events is parked any more.");
  else if (deed === "redrive") reportDone(`${plural(count, "event waits", "events wait")} again.`);
  else reportDone(`${plural(count, "event was", "events were")} discarded.`);
}

function closeIfTaken(selection: ParkedSelection): void {
  if (opened.value !== null && (!("keys" in selection) || selection.keys.includes(opened.value))) close();
}
