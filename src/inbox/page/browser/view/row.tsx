import type { JSX } from "preact";
import { visible } from "../../../../page/model/visible-text.ts";
import { dayAndTimeWords, plural } from "../../../../page/model/words.ts";
import type { ParkedRow } from "../../api.ts";
import { selected, toggle } from "../model/parked.ts";
import { addressOf, opened } from "../model/route.ts";
import { LIST_ID } from "./element-ids.ts";

/** One parked event in the list. */
export function Row({ event }: { readonly event: ParkedRow }): JSX.Element {
  const { key, type, id, attempts, parkedAt, error } = event;
  const isOpened = opened.value === key;
  return (
    <li class={isOpened ? "entry opened" : "entry"}>
      <input
        type="checkbox"
        class="pick"
        aria-label={`Select ${visible(type)}, ${visible(id)}`}
        checked={selected.value.has(key)}
        onChange={() => toggle(key)}
      />
      <a href={addressOf(key)} data-key={key} aria-current={isOpened ? "true" : undefined}>
        <span class="type">{visible(type)}</span>
        <span class="mono id">{visible(id)}</span>
        <span class="error">{visible(error.replaceAll(/\s+/g, " "))}</span>
        <span class="when">
          {dayAndTimeWords(parkedAt)} <span class="tries">after {plural(attempts, "attempt")}</span>
        </span>
      </a>
    </li>
  );
}

/** The links of the rows, in order. */
export function rowLinks(): HTMLAnchorElement[] {
  return [...document.querySelectorAll<HTMLAnchorElement>(`#${LIST_ID} a`)];
}

/** The place of the row that an element is in; -1 if it is in none. */
export function rowOf(element: Element | null): number {
  const link = element?.closest("li")?.querySelector("a") ?? null;
  return rowLinks().indexOf(link as HTMLAnchorElement);
}

/** Moves the focus to the row at a place, or to the last one before it. */
export function focusRowAt(place: number): void {
  const links = rowLinks();
  links[Math.min(place, links.length - 1)]?.focus();
}

/** Moves the focus to an event's row; to the first one if it is not listed. */
export function focusRow(key: string): void {
  const links = rowLinks();
  (links.find((link) => link.dataset.key === key) ?? links[0])?.focus();
}
