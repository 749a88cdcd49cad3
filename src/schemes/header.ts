import { MAX_HEADER_BYTES } from "./scheme.ts";

/**
 * The elements of a header's list, separated by commas; a header that was sent twice is such a list too. Empty elements
 * are ignored (RFC 9110, section 5.6.1.2).
 *
 * @returns undefined where the header is too long to be looked at
 */
export function listElements(value: string): string[] | undefined {
  if (value.length > MAX_HEADER_BYTES) return undefined;
  // Mostly there is one signature, and taking a list apart costs as much as checking it.
  return replaceEach(value.includes(",") ? value.split(",") : [value], (part) => part.trim() || undefined);
}

/** Puts what a function makes of each element in its place, or drops it where that is nothing; in the same array. */
export function replaceEach(elements: string[], make: (element: string) => string | undefined): string[] {
  let kept = 0;
  for (const element of elements) {
    const made = make(element);
    if (made !== undefined) elements[kept++] = made;
  }
  // To set a length costs more than all the rest.
  if (kept < elements.length) elements.length = kept;
  return elements;
}
