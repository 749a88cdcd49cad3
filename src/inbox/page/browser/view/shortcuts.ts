import { followKeys } from "../../../../page/model/keys.ts";
import { nextTheme } from "../../../../page/model/preferences.ts";
import { openHelp, type Shortcut } from "../../../../page/view/help.tsx";
import { request } from "../model/actions.ts";
import type { Deed } from "../model/api.ts";
import { nextPage, previousPage, selected, toggle } from "../model/parked.ts";
import { close, open, opened } from "../model/route.ts";
import { TYPE_ID } from "./element-ids.ts";
import { rowLinks } from "./row.tsx";

/** All shortcuts. */
export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ["j", "k"], does: "next, previous event" },
  { keys: ["Enter"], does: "open the event" },
  { keys: ["Esc"], does: "close it, back to the list" },
  { keys: ["x"], does: "select the event" },
  { keys: ["r"], does: "redrive the opened event, or those selected" },
  { keys: ["d"], does: "discard them, after a confirmation" },
  { keys: ["n", "p"], does: "next, previous page of the list" },
  { keys: ["/"], does: "filter by type" },
  { keys: ["t"], does: "system, light or dark theme" },
  { keys: ["?"], does: "this help" },
];

/** Listens for the keys that work anywhere on the page. */
export function followShortcuts(): void {
  followKeys({
    single: {
      j: () => moveBy(1),
      k: () => moveBy(-1),
      x: toggleActive,
      r: () => requestChosen("redrive"),
      d: () => requestChosen("discard"),
      n: nextPage,
      p: previousPage,
      "/": focusFilter,
      t: nextTheme,
      "?": openHelp,
    },
    onEscape: () => {
      if (opened.value !== null) close();
    },
  });
}

/** Moves the focus through the rows. An opened event is replaced by the next one. */
function moveBy(rows: number): void {
  const links = rowLinks();
  const at = links.findIndex((link) => link.dataset.key === activeKey());
  const link = links[at < 0 ? 0 : Math.max(0, Math.min(at + rows, links.length - 1))];
  if (link === undefined) return;
  link.focus();
  if (opened.value !== null) open(link.dataset.key ?? "", { inPlace: true });
}

/** The event of the row that has the focus, or else the opened one. */
function activeKey(): string | undefined {
  const link = document.activeElement?.closest("li")?.querySelector<HTMLAnchorElement>("a[data-key]");
  return link?.dataset.key ?? opened.value ?? undefined;
}

function toggleActive(): void {
  const key = activeKey();
  if (key !== undefined) toggle(key);
}

function requestChosen(deed: Deed): void {
  const keys = opened.value === null ? [...selected.value] : [opened.value];
  if (keys.length > 0) request(deed, { keys });
}

/** On a narrow screen an opened event hides the filter. */
function focusFilter(): void {
  const focus = () => document.getElementById(TYPE_ID)?.focus();
  if (document.getElementById(TYPE_ID)?.checkVisibility()) {
    focus();
    return;
  }
  close();
  requestAnimationFrame(() => requestAnimationFrame(focus));
}
