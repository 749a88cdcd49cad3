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
  const elements = value.includes(",") ? value.split(",") : [value];
  let kept = 0;
  for (const element of elements) {
    const trimmed = element.trim();
    if (trimmed !== "") elements[kept++] = trimmed;
  }
  elements.length = kept;
  return elements;
}
