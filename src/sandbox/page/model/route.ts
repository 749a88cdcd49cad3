import { signal } from "@preact/signals";

const DELIVERY = /^#\/deliveries\/([^/]+)$/;

/** The id of the delivery that the address names. */
export const opened = signal<string | null>(fromAddress());

addEventListener("hashchange", () => {
  opened.value = fromAddress();
});

/** Opens a delivery as a new step of the browser's history, or in place of the present one. */
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
