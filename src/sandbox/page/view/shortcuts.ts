import { actions } from "../model/actions.ts";
import { moveBy } from "../model/list-position.ts";
import { keysOn, nextTheme } from "../model/preferences.ts";
import { close, opened } from "../model/route.ts";
import { EVENT_ID, HELP_ID, LIST_ID, SEARCH_ID } from "./element-ids.ts";
import { tab } from "./tabs.tsx";

/** One line of the help. */
interface Shortcut {
  readonly keys: readonly string[];
  readonly does: string;
}

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
export function followKeys(): void {
  addEventListener("keydown", onKey);
}

/** Opens the help dialog. */
export function openHelp(): void {
  (document.getElementById(HELP_ID) as HTMLDialogElement).showModal();
}

function onKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("dialog") !== null) return;
  if (event.key === "Escape") onEscape(target);
  else if (keysOn.value && !target.matches("input, textarea, select")) onSingleKey(event);
}

function onSingleKey(event: KeyboardEvent): void {
  const work = SINGLE_KEYS[event.key];
  if (work === undefined) return;
  event.preventDefault();
  work();
}

/** The first Escape in the search field clears it. */
function onEscape(target: HTMLElement): void {
  if (target instanceof HTMLInputElement && target.value !== "") return;
  if (opened.value !== null) close();
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
