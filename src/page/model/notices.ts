import { signal } from "@preact/signals";

/** The result of an action, shown as a toast. */
export interface Notice {
  readonly id: number;
  /** `nothing`: the call succeeded and had nothing to do. */
  readonly kind: "done" | "nothing" | "failed";
  readonly text: string;
  /** The id of what "Show" opens. */
  readonly shows: string | null;
}

/** At most this many, errors not counted. */
const MAX_SHOWN = 3;
let count = 0;

/** Newest last. */
export const notices = signal<readonly Notice[]>([]);

/** Reports what was done. */
export function reportDone(text: string, shows: string | null = null): void {
  add({ id: count++, kind: "done", text, shows });
}

/** Reports that there was nothing to do. */
export function reportNothing(text: string): void {
  add({ id: count++, kind: "nothing", text, shows: null });
}

/** Reports an error. It stays until it is dismissed. */
export function reportError(text: string): void {
  add({ id: count++, kind: "failed", text, shows: null });
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** A notice replaces one with the same text, so that a repeated error does not fill the page. */
function add(notice: Notice): void {
  const all = [...notices.value.filter(({ text }) => text !== notice.text), notice];
  const passing = all.filter(({ kind }) => kind !== "failed").slice(-MAX_SHOWN);
  notices.value = all.filter((each) => each.kind === "failed" || passing.includes(each));
}
