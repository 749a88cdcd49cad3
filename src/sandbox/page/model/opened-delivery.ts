import { computed, effect, signal } from "@preact/signals";
import { RefusedError } from "../../../page/model/call.ts";
import { connection } from "../../../page/model/stream.ts";
import type { DeliveryDetail } from "../../page-api.ts";
import { fetchDelivery } from "./api.ts";
import { opened } from "./route.ts";
import { ledger, ledgerVersion } from "./world.ts";

/** The opened delivery as last fetched, and the error if fetching it failed. */
export interface OpenedDelivery {
  readonly id: string;
  readonly detail: DeliveryDetail | null;
  readonly trouble: string | null;
}

export const openedDelivery = signal<OpenedDelivery | null>(null);

const summary = computed(() => {
  ledgerVersion.value;
  return opened.value === null ? undefined : ledger.find(opened.value)?.delivery;
});

let fetching: string | null = null;
let stale = false;

/** Fetches the delivery when it is opened, when its summary changes, and after a lost connection. */
export function followOpened(): void {
  effect(() => {
    summary.value;
    const id = opened.value;
    if (id === null) openedDelivery.value = null;
    else void refresh(id);
  });
  effect(() => {
    const known = openedDelivery.peek();
    if (connection.value === "live" && known !== null && known.trouble !== null) void refresh(known.id);
  });
}

/** One request at a time. A change during the request is fetched after it. */
async function refresh(id: string): Promise<void> {
  if (fetching === id) {
    stale = true;
    return;
  }
  fetching = id;
  stale = false;
  const previous = openedDelivery.peek();
  const known = previous?.id === id ? previous.detail : null;
  if (known === null) openedDelivery.value = { id, detail: null, trouble: null };
  const next = await fetchOpened(id, known);
  if (fetching !== id) return;
  fetching = null;
  if (opened.peek() === id) openedDelivery.value = next;
  if (stale && opened.peek() === id) void refresh(id);
}

async function fetchOpened(id: string, known: DeliveryDetail | null): Promise<OpenedDelivery> {
  try {
    return { id, detail: await fetchDelivery(id), trouble: null };
  } catch (error) {
    const gone = error instanceof RefusedError && error.status === 404;
    const trouble = gone ? "The sandbox no longer remembers this delivery." : (error as Error).message;
    return { id, detail: known, trouble };
  }
}
