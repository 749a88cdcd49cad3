import { signal } from "@preact/signals";

const DELIVERY = /^#\/deliveries\/([^/]+)$/;

/** The id of the delivery in the page's address. */
export const opened = signal<string | null>(fromAddress());

addEventListener("hashchange", () => {
  walkedTo.value = false;
  opened.value = fromAddress();
});

/** Whether the delivery was opened by moving through the list, where the focus stays. */
export const walkedTo = signal(false);

/** Opens a delivery as a new entry of the browser's history, or in place of the current one. */
export function open(id: string, { inPlace = false }: { readonly inPlace?: boolean } = {}): void {
  go(`#/deliveries/${encodeURIComponent(id)}`, inPlace);
}

export function close(): void {
  go("#/", false);
}

function go(hash: string, inPlace: boolean): void {
  if (hash === location.hash) return;
  if (inPlace) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
  walkedTo.value = inPlace;
  opened.value = fromAddress();
}

function fromAddress(): string | null {
  const [, id] = DELIVERY.exec(location.hash) ?? [];
  try {
    return id === undefined ? null : decodeURIComponent(id);
  } catch {
    return null;
  }
}
