import type { OptionChecks } from "../options.ts";
import { MAX_HEADER_BYTES } from "./scheme.ts";

/** Refuses an option `header` that cannot be a header's name (RFC 9110, section 5.6.2: a token). */
export function checkHeaderName({ invalid }: OptionChecks, header: string): void {
  if (typeof header === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(header)) return;
  throw invalid("header", "must be the name of the HTTP header that carries the signature");
}

/**
 * The elements of a header's list, separated by commas, without the white space around them. A header that was sent twice is such a
 * list too. Empty elements are ignored (RFC 9110, section 5.6.1.2).
 *
 * @returns undefined if the header is longer than `MAX_HEADER_BYTES`
 */
export function listElements(value: string): string[] | undefined {
  if (value.length > MAX_HEADER_BYTES) return undefined;
  return value
    .split(",")
    .map((element) => element.trim())
    .filter((element) => element !== "");
}
