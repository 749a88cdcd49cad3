import {
  defaultRangeExtractor,
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
} from "@tanstack/virtual-core";
import type { RefObject } from "preact";
import { useLayoutEffect, useReducer, useState } from "preact/hooks";
import { deliveryAt } from "../model/list-position.ts";

/** The height of every row, as in 4-list.css. */
export const ROW_PX = 64;

type Rows = Virtualizer<HTMLDivElement, HTMLDivElement>;

/**
 * The rows to render for the part of the list in view.
 *
 * @param keepRow a row that is always rendered, because `aria-activedescendant` refers to it; or -1
 */
export function useVirtualRows(scroller: RefObject<HTMLDivElement | null>, count: number, keepRow: number): Rows {
  const [, redraw] = useReducer((times: number) => times + 1, 0);
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (row: number) => deliveryAt(row)?.id ?? row,
    rangeExtractor: (range: Parameters<typeof defaultRangeExtractor>[0]) =>
      withRow(defaultRangeExtractor(range), keepRow),
    overscan: 8,
    // New deliveries are added above. The rows in view stay in place, unless the list is at its top.
    anchorTo: (scroller.current?.scrollTop ?? 0) < ROW_PX / 2 ? ("start" as const) : ("end" as const),
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => redraw(undefined),
  };
  const [rows] = useState<Rows>(() => new Virtualizer(options));
  rows.setOptions(options);
  useLayoutEffect(() => rows._didMount(), [rows]);
  useLayoutEffect(() => rows._willUpdate());
  return rows;
}

function withRow(range: number[], row: number): number[] {
  return row < 0 || range.includes(row) ? range : [...range, row].sort((one, other) => one - other);
}
