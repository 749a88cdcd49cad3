import { type Signal, signal } from "@preact/signals";

/** What the page's address opens. */
export interface Route {
  /** The id in the page's address. */
  readonly opened: Signal<string | null>;
  /** Whether it was opened by moving through the list, where the focus stays. */
  readonly walkedTo: Signal<boolean>;
  /** Opens it as a new entry of the browser's history, or in place of the current one. */
  open(id: string, options?: { readonly inPlace?: boolean }): void;
  close(): void;
}

/**
 * Follows the part of the page's address after `#`.
 *
 * @param kind such as `deliveries` for the address `#/deliveries/<id>`
 */
export function routeTo(kind: string): Route {
  const opened = signal(idInAddress(kind));
  const walkedTo = signal(false);
  addEventListener("hashchange", () => {
    walkedTo.value = false;
    opened.value = idInAddress(kind);
  });
  const go = (hash: string, inPlace: boolean) => {
    if (hash === location.hash) return;
    if (inPlace) history.replaceState(null, "", hash);
    else history.pushState(null, "", hash);
    walkedTo.value = inPlace;
    opened.value = idInAddress(kind);
  };
  return {
    opened,
    walkedTo,
    open: (id, { inPlace = false } = {}) => go(`#/${kind}/${encodeURIComponent(id)}`, inPlace),
    close: () => go("#/", false),
  };
}

function idInAddress(kind: string): string | null {
  const start = `#/${kind}/`;
  const rest = location.hash.startsWith(start) ? location.hash.slice(start.length) : "";
  if (rest === "" || rest.includes("/")) return null;
  try {
    return decodeURIComponent(rest);
  } catch {
    return null;
  }
}
