import { signal } from "@preact/signals";

/** Something that a button has brought about. */
export interface Notice {
  readonly id: number;
  readonly kind: "done" | "failed";
  readonly text: string;
  /** A delivery to look at. */
  readonly deliveryId: string | null;
}

const SHOWN_MS = 7_000;
const MOST = 3;
let count = 0;

/** Newest last. */
export const notices = signal<readonly Notice[]>([]);

/** Says what was done; it goes by itself. */
export function tell(text: string, deliveryId: string | null = null): void {
  const { id } = add("done", text, deliveryId);
  setTimeout(() => dismiss(id), SHOWN_MS);
}

/** Says what went wrong; it stays until it is dismissed or crowded out. */
export function complain(text: string): void {
  add("failed", text, null);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

function add(kind: Notice["kind"], text: string, deliveryId: string | null): Notice {
  const notice = { id: count++, kind, text, deliveryId };
  notices.value = [...notices.value, notice].slice(-MOST);
  return notice;
}
