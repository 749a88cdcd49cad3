import { batch, computed, signal } from "@preact/signals";
import { reasonOf } from "../../../../page/model/call.ts";
import type { ParkedList, ParkedRow } from "../../api.ts";
import { fetchParked } from "./api.ts";

/** Which parked events are listed; an empty text stands for all. */
export interface Filter {
  readonly type: string;
  readonly key: string;
}

export const EVERYTHING: Filter = { type: "", key: "" };

export const filter = signal<Filter>(EVERYTHING);
/** What the fields of the filter say, applied or not. */
export const draft = signal<Filter>(EVERYTHING);
/** The page of the list that is shown; null until the server has answered for the first time, or with this filter. */
export const list = signal<ParkedList | null>(null);
/** Why the list could not be fetched. */
export const trouble = signal<string | null>(null);
export const isLoading = signal(false);
/** Whether the list may have changed, and is fetched again only on request because that takes long. */
export const isStale = signal(false);
/** The keys that are selected, all of them listed. */
export const selected = signal<ReadonlySet<string>>(new Set());
/** The cursors of the pages up to the one that is shown: an empty one for the first page. */
const cursors = signal<readonly string[]>([""]);

export const events = computed<readonly ParkedRow[]>(() => list.value?.events ?? []);
export const pageNumber = computed(() => cursors.value.length);

/** A list that takes longer than this is not fetched again at every change. */
const SLOW_MS = 1_000;
let tookMs = 0;
let loads = 0;

/** Fetches the first page. */
export function followList(): void {
  void load();
}

/** Shows the first page of the events that the fields of the filter say. */
export function applyDraft(): void {
  const { type, key } = draft.value;
  const wanted = { type: type.trim(), key: key.trim() };
  show(wanted.type === "" && wanted.key === "" ? EVERYTHING : wanted);
}

/** Shows the first page of other events. */
export function show(wanted: Filter): void {
  draft.value = wanted;
  if (wanted.type === filter.value.type && wanted.key === filter.value.key) return;
  batch(() => {
    filter.value = wanted;
    // Rows of the filter before would look like rows of this one.
    list.value = null;
    cursors.value = [""];
    selected.value = new Set();
  });
  void load();
}

/** Shows the page after this one, if there is one. */
export function nextPage(): void {
  const cursor = list.value?.cursor ?? null;
  if (cursor !== null && !isLoading.value) turnTo([...cursors.value, cursor]);
}

/** Shows the page before this one, if there is one. */
export function previousPage(): void {
  if (cursors.value.length > 1 && !isLoading.value) turnTo(cursors.value.slice(0, -1));
}

function turnTo(pages: readonly string[]): void {
  cursors.value = pages;
  selected.value = new Set();
  void load();
}

/** Fetches the shown page again. */
export async function load(): Promise<void> {
  const turn = ++loads;
  const startedAt = performance.now();
  isLoading.value = true;
  const query = { ...filter.value, cursor: cursors.value.at(-1) ?? "" };
  try {
    const fetched = await fetchParked(query);
    if (turn !== loads) return;
    put(fetched);
  } catch (error) {
    if (turn !== loads) return;
    trouble.value = reasonOf(error);
  }
  tookMs = performance.now() - startedAt;
  isLoading.value = false;
  // All events of the page have gone: those before it are still there.
  if (trouble.value === null && events.value.length === 0 && cursors.value.length > 1) previousPage();
}

function put(fetched: ParkedList): void {
  batch(() => {
    list.value = fetched;
    trouble.value = null;
    isStale.value = false;
    const listed = new Set(fetched.events.map(({ key }) => key));
    selected.value = new Set([...selected.value].filter((key) => listed.has(key)));
  });
}

/** Called when the list may have changed. */
export function listIsStale(): void {
  if (isLoading.value || tookMs > SLOW_MS) isStale.value = true;
  else void load();
}

/** Selects an event, or takes it out of the selection. */
export function toggle(key: string): void {
  const keys = new Set(selected.value);
  if (!keys.delete(key)) keys.add(key);
  selected.value = keys;
}

/** Selects all events of the page, or none if all are selected. */
export function togglePage(): void {
  const all = events.value.map(({ key }) => key);
  selected.value = new Set(selected.value.size === all.length ? [] : all);
}
