import { useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { activeId, deliveryAt, moveBy, moveTo, rowOf } from "../model/list-position.ts";
import { open, opened } from "../model/route.ts";
import { ledger, ledgerVersion } from "../model/world.ts";
import { LIST_ID } from "./element-ids.ts";
import { Row, rowId } from "./row.tsx";
import { TimeAxis } from "./time-line.tsx";
import { ROW_PX, useVirtualRows } from "./virtual-rows.ts";

function openRow(id: string): void {
  activeId.value = id;
  open(id);
}

/** The deliveries, newest first. Only the rows in view are in the document. */
export function DeliveryList(): JSX.Element {
  ledgerVersion.value;
  const scroller = useRef<HTMLDivElement>(null);
  const activeRow = rowOf(activeId.value);
  const count = ledger.shown.length;
  const rows = useVirtualRows(scroller, count, activeRow);

  useSignalEffect(() => {
    const row = rowOf(activeId.value);
    if (row >= 0) rows.scrollToIndex(row, { align: "auto" });
  });

  return (
    <div class="list">
      <div class="list-head" aria-hidden="true">
        <span>Delivery</span>
        <span>Resource</span>
        <TimeAxis />
        <span>State</span>
      </div>
      <div
        id={LIST_ID}
        ref={scroller}
        class="scroller"
        role="listbox"
        tabIndex={0}
        aria-label="Deliveries, newest first"
        aria-activedescendant={activeRow < 0 ? undefined : rowId(activeId.value ?? "")}
        onKeyDown={(event) => onKey(event, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_PX))}
        onFocus={() => {
          if (rowOf(activeId.value) < 0) activeId.value = deliveryAt(0)?.id ?? null;
        }}
      >
        <div role="presentation" class="rows" style={{ height: `${rows.getTotalSize()}px` }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const delivery = deliveryAt(index);
            return (
              delivery && (
                <Row
                  key={delivery.id}
                  delivery={delivery}
                  row={index}
                  rows={count}
                  top={start}
                  active={index === activeRow}
                  opened={delivery.id === opened.value}
                  onOpen={openRow}
                />
              )
            );
          })}
        </div>
      </div>
    </div>
  );
}

function onKey(event: KeyboardEvent, page: number): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const moves: Readonly<Record<string, () => void>> = {
    ArrowDown: () => moveBy(1),
    ArrowUp: () => moveBy(-1),
    PageDown: () => moveBy(page),
    PageUp: () => moveBy(-page),
    Home: () => moveTo(0),
    End: () => moveTo(ledger.shown.length - 1),
    Enter: openActive,
    " ": openActive,
  };
  const move = moves[event.key];
  if (move === undefined) return;
  event.preventDefault();
  move();
}

function openActive(): void {
  if (activeId.value !== null) open(activeId.value);
}
