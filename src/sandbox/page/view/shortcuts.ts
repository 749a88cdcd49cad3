import { followKeys } from "../../../page/model/keys.ts";
import { nextTheme } from "../../../page/model/preferences.ts";
import { openHelp, type Shortcut } from "../../../page/view/help.tsx";
import { actions } from "../model/actions.ts";
import { moveBy } from "../model/list-position.ts";
import { close, opened } from "../model/route.ts";
import { EVENT_ID, LIST_ID, SEARCH_ID } from "./element-ids.ts";
import { tab } from "./tabs.tsx";

/** All shortcuts, those of the list included. */
export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ["↑", "↓"], does: "walk through the list" },
  { keys: ["PageUp", "PageDown"], does: "the same by a screenful" },
  { keys: ["Home", "End"], does: "go to the newest, the oldest" },
  { keys: ["Enter", "Space"], does: "open the delivery" },
  { keys: ["Esc"], does: "close it, back to the list" },
  { keys: ["j", "k"], does: "next, previous delivery, from anywhere" },
  { keys: ["l"], does: "go to the list" },
  { keys: ["/"], does: "search" },
  { keys: ["s"], does: "send an event" },
  { keys: ["d"], does: "duplicate the opened delivery" },
  { keys: ["r"], does: "replay the opened delivery" },
  { keys: ["t"], does: "system, light or dark theme" },
  { keys: ["?"], does: "this help" },
];

const SINGLE_KEYS: Readonly<Record<string, () => void>> = {
  j: () => moveBy(1),
  k: () => moveBy(-1),
  l: () => goTo("deliveries", LIST_ID),
  "/": () => goTo("deliveries", SEARCH_ID),
  s: () => goTo("send", EVENT_ID),
  d: () => withOpened(actions.duplicate),
  r: () => withOpened(actions.replay),
  t: nextTheme,
  "?": openHelp,
};

/** Listens for the keys that work anywhere on the page. */
export function followShortcuts(): void {
  followKeys({
    single: SINGLE_KEYS,
    onEscape: () => {
      if (opened.value !== null) close();
    },
  });
}

/** Moves the focus to a field. Closes the opened delivery first if that takes the place of the field. */
export function goTo(name: "deliveries" | "send", id: string): void {
  tab.value = name;
  const element = () => document.getElementById(id);
  if (element()?.checkVisibility() !== true) close();
  requestAnimationFrame(() => requestAnimationFrame(() => element()?.focus()));
}

function withOpened(work: (id: string) => Promise<void>): void {
  if (opened.value !== null) void work(opened.value);
}
