/** Bytes as text for display, cut if they are too many. */
export interface BodyView {
  readonly text: string;
  readonly bytes: number;
  /** Whether `text` is cut, or differs from the bytes because they are not UTF-8. */
  readonly altered: boolean;
}
