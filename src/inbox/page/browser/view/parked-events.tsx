import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { visible } from "../../../../page/model/visible-text.ts";
import {
  EVERYTHING,
  events,
  filter,
  isLoading,
  isStale,
  list,
  load,
  nextPage,
  pageNumber,
  previousPage,
  show,
  trouble,
} from "../model/parked.ts";
import { BulkActions } from "./bulk-actions.tsx";
import { LIST_ID } from "./element-ids.ts";
import { Filters } from "./filters.tsx";
import { focusRowAt, Row, rowOf } from "./row.tsx";

/** The parked events: the filters, what can be done with many, and one page of the list. */
export function ParkedEvents(): JSX.Element {
  const isEmpty = list.value !== null && events.value.length === 0;
  const isFiltered = filter.value !== EVERYTHING;
  if (isEmpty && !isFiltered && trouble.value === null) return <NothingParked />;
  return (
    <section class="parked-events" aria-labelledby="parked-title" aria-busy={isLoading.value}>
      <h2 id="parked-title">Parked events</h2>
      <Filters />
      <BulkActions />
      <Trouble />
      {isEmpty && trouble.value === null && <NothingMatches />}
      {list.value === null && trouble.value === null && <p class="empty muted">Loading …</p>}
      <Entries />
      <Pages />
    </section>
  );
}

function Entries(): JSX.Element {
  const focusedAt = useRef(-1);
  // A row that goes takes the focus with it: the row in its place gets it.
  useLayoutEffect(() => {
    if (focusedAt.current >= 0 && document.activeElement === document.body) focusRowAt(focusedAt.current);
  }, [events.value]);
  return (
    <ol
      class="entries"
      id={LIST_ID}
      aria-label="Parked events, the oldest first"
      onFocusIn={({ target }) => {
        focusedAt.current = rowOf(target as HTMLElement);
      }}
      onFocusOut={({ relatedTarget }) => {
        if (relatedTarget !== null) focusedAt.current = -1;
      }}
    >
      {events.value.map((event) => (
        <Row key={event.key} event={event} />
      ))}
    </ol>
  );
}

function Trouble(): JSX.Element {
  return (
    <div role="alert">
      {trouble.value !== null && (
        <p class="trouble">
          {trouble.value}{" "}
          <button type="button" class="small" onClick={() => load()}>
            Try again
          </button>
        </p>
      )}
    </div>
  );
}

function Pages(): JSX.Element {
  const isLast = (list.value?.cursor ?? null) === null;
  return (
    <nav class="pages" aria-label="Pages of the list">
      <button type="button" class="small" disabled={pageNumber.value === 1} onClick={previousPage}>
        Previous
      </button>
      <span class="muted">
        Page {pageNumber.value}
        {isLoading.value && " …"}
      </span>
      <button type="button" class="small" disabled={isLast} onClick={nextPage}>
        Next
      </button>
      <span class="spring" />
      {isStale.value && <span class="muted">The list may have changed.</span>}
      <button type="button" class="small quiet" disabled={isLoading.value} onClick={() => load()}>
        Refresh
      </button>
    </nav>
  );
}

function NothingParked(): JSX.Element {
  return (
    <div class="empty">
      <h2>Nothing is parked</h2>
      <p class="muted">Events that fail every attempt appear here.</p>
    </div>
  );
}

function NothingMatches(): JSX.Element {
  const { type, key } = filter.value;
  return (
    <div class="empty">
      <h2>No parked event matches</h2>
      <p class="muted">
        None has {type !== "" && <>the type {visible(type)}</>}
        {type !== "" && key !== "" && " and "}
        {key !== "" && <>the key {visible(key)}</>}.
      </p>
      <button type="button" onClick={() => show(EVERYTHING)}>
        Show all
      </button>
    </div>
  );
}
