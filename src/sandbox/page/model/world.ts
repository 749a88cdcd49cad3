import { batch, effect, signal } from "@preact/signals";
import type { Change, EndpointView, Snapshot } from "../../page-api.ts";
import { setClock } from "./clock.ts";
import { EVERYTHING, type Filter, Ledger } from "./ledger.ts";

/** The part of the snapshot that does not change while the sandbox runs. */
type Surroundings = Pick<Snapshot, "scheme" | "scenarios" | "eventTypes" | "forgeries" | "firstSteps">;

/** null until the sandbox has answered for the first time. */
export const surroundings = signal<Surroundings | null>(null);
export const endpoints = signal<readonly EndpointView[]>([]);
/** How many parked deliveries can be replayed; null if the sandbox does not say. */
export const replayable = signal<number | null>(null);
export const filter = signal<Filter>(EVERYTHING);
export const ledger: Ledger = new Ledger();
/** Changes with the ledger, which is too large to copy into a signal. */
export const ledgerVersion = signal(0);

effect(() => {
  ledger.filter(filter.value);
  ledgerVersion.value = ledgerVersion.peek() + 1;
});

/** Replaces the whole state. */
export function load(snapshot: Snapshot): void {
  pending = [];
  batch(() => {
    setClock(snapshot.now, snapshot.speed);
    ledger.replace(snapshot.deliveries);
    ledgerVersion.value += 1;
    endpoints.value = snapshot.endpoints;
    replayable.value = snapshot.replayable ?? null;
    surroundings.value = snapshot;
  });
}

let pending: Change[] = [];

/** Applies a change. Changes between two frames are applied together. */
export function take(change: Change): void {
  pending.push(change);
  if (pending.length === 1) beforeNextFrame(flush);
}

/** No frame is drawn while the page is hidden; the changes must not pile up. */
function beforeNextFrame(work: () => void): void {
  const once = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    work();
  };
  const frame = requestAnimationFrame(once);
  const timer = setTimeout(once, 500);
}

function flush(): void {
  const changes = pending;
  pending = [];
  batch(() => {
    for (const change of changes) apply(change);
    const last = changes.at(-1);
    if (last !== undefined) setClock(last.now);
    ledgerVersion.value += 1;
  });
}

function apply(change: Change): void {
  replayable.value = change.replayable ?? replayable.value;
  if (change.kind === "delivery") ledger.put(change.delivery);
  else if (change.kind === "deliveries_dropped") ledger.drop(change.ids);
  else if (change.kind === "endpoint_removed") endpoints.value = endpoints.value.filter(({ id }) => id !== change.id);
  else putEndpoint(change.endpoint);
}

/** Also called with the endpoint of an answer, before its change arrives. */
export function putEndpoint(endpoint: EndpointView): void {
  const at = endpoints.value.findIndex(({ id }) => id === endpoint.id);
  endpoints.value = at < 0 ? [...endpoints.value, endpoint] : endpoints.value.with(at, endpoint);
}

/** An endpoint's name; its id if the endpoint was removed. */
export function endpointName(id: string): string {
  return endpoints.value.find((endpoint) => endpoint.id === id)?.name ?? id;
}
