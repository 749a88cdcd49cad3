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
 * Which rows there must be for what can be seen.
 *
 * @param keepRow a row that there must be in any case, since the list's focus points at it; or -1
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
    // New deliveries come in above: what somebody reads stays where it is, unless they look at the newest.
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
