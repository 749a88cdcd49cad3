import { keysOn } from "./preferences.ts";

/** The keys that work anywhere on a page. */
export interface Keys {
  /** What each single key does. */
  readonly single: Readonly<Record<string, () => void>>;
  /** Called for Escape, but not for the one that clears a field. */
  readonly onEscape: () => void;
}

/** Listens for the keys that work anywhere on the page. */
export function followKeys(keys: Keys): void {
  addEventListener("keydown", (event) => onKey(event, keys));
}

function onKey(event: KeyboardEvent, keys: Keys): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("dialog") !== null) return;
  if (event.key === "Escape") onEscape(target, keys);
  else if (keysOn.value && !target.matches("input:not([type=checkbox]), textarea, select")) onSingleKey(event, keys);
}

function onSingleKey(event: KeyboardEvent, { single }: Keys): void {
  const work = single[event.key];
  if (work === undefined) return;
  event.preventDefault();
  work();
}

/** The first Escape in a search field clears it. */
function onEscape(target: HTMLElement, keys: Keys): void {
  if (target instanceof HTMLInputElement && target.type !== "checkbox" && target.value !== "") return;
  keys.onEscape();
}
