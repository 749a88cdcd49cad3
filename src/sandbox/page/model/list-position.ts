import { signal } from "@preact/signals";
import type { DeliverySummary } from "../../page-api.ts";
import { open, opened } from "./route.ts";
import { ledger } from "./world.ts";

/** The delivery that the keyboard has selected. */
export const activeId = signal<string | null>(null);

/** The shown delivery at a row, newest first. */
export function deliveryAt(row: number): DeliverySummary | undefined {
  return ledger.shown[ledger.shown.length - 1 - row]?.delivery;
}

/** The row of a delivery, newest first; -1 if it is not shown. */
export function rowOf(id: string | null): number {
  const entry = id === null ? undefined : ledger.find(id);
  const index = entry === undefined ? -1 : ledger.indexOf(entry);
  return index < 0 ? -1 : ledger.shown.length - 1 - index;
}

/** Moves down or up by rows. An opened delivery is replaced by the new one. */
export function moveBy(rows: number): void {
  const row = rowOf(activeId.value);
  moveTo(row < 0 ? 0 : row + rows);
}

/** Moves to a row, or to the nearest one that exists. */
export function moveTo(row: number): void {
  const last = ledger.shown.length - 1;
  const delivery = deliveryAt(Math.max(0, Math.min(row, last)));
  if (delivery === undefined) return;
  activeId.value = delivery.id;
  if (opened.value !== null) open(delivery.id, { inPlace: true });
}
