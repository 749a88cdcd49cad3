import { type ByteEncoding, decodeExactly } from "../../../schemes/encoding.ts";
import { type Written, writtenIn } from "./digest.ts";
import { hasTimestamp } from "./time-format.ts";

/** Where a header's value has its signature: in an element of a list, after and before fixed text. */
export interface Locator {
  /** In lower case. */
  readonly header: string;
  /** What parts the elements of the list. */
  readonly separator: string;
  readonly prefix: string;
  readonly suffix: string;
}

/** In order of preference: what the package's own schemes split by comes first. */
export const SEPARATORS: readonly string[] = [",", ";", " ", "|", "&", ":", ".", "-", "_", "/"];

/** The elements of a list, trimmed; empty ones are ignored. */
export function elementsOf(value: string, separator: string): string[] {
  return value
    .split(separator)
    .map((element) => element.trim())
    .filter((element) => element !== "");
}

/** The ways to say where a signature stands, if possible without what changes from delivery to delivery; the best first. */
export function locatorsOf(header: string, value: string, written: Written): Locator[] {
  const all = SEPARATORS.filter((separator) => !value.slice(written.start, written.end).includes(separator)).map(
    (separator) => locatorBy(separator, header, value, written),
  );
  const fixed = all.filter((locator) => isFixed(locator) && !isVersionsComma(locator, value, written));
  const locators = fixed.length > 0 ? fixed : all;
  return locators.sort((one, other) => Number(one.suffix !== "") - Number(other.suffix !== ""));
}

/** The signatures that a locator finds in a header's value. */
export function signaturesAt(locator: Locator, value: string, encoding: ByteEncoding, length: number): Uint8Array[] {
  const { separator, prefix, suffix } = locator;
  return elementsOf(value, separator)
    .filter((element) => element.startsWith(prefix) && element.endsWith(suffix))
    .map((element) => element.slice(prefix.length, element.length - suffix.length))
    .flatMap((text) => decodeExactly(length, text, encoding) ?? []);
}

/** Whether the text around a signature looks as if it were the same in every delivery. */
export function isFixed({ prefix, suffix }: Locator): boolean {
  return ![prefix, suffix].some((text) => hasTimestamp(text) || writtenIn(text).length > 0) && !isList(prefix, suffix);
}

function locatorBy(separator: string, header: string, value: string, { start, end }: Written): Locator {
  const from = start === 0 ? 0 : value.lastIndexOf(separator, start - 1) + 1;
  const next = value.indexOf(separator, end);
  const prefix = value.slice(from, start).trimStart();
  const suffix = value.slice(end, next < 0 ? value.length : next).trimEnd();
  return { header, separator, prefix, suffix };
}

/** Standard Webhooks' list, `v1,… v1,…`, is parted by spaces; its comma belongs to the version. */
function isVersionsComma({ separator }: Locator, value: string, { start }: Written): boolean {
  return separator === "," && /(^|\s)v\d+[a-z]?,$/.test(value.slice(0, start));
}

/** Whether the text is itself a list of names and values, to be parted by another separator. */
function isList(prefix: string, suffix: string): boolean {
  return /[=:][^;&| ]*[;&| ]+[A-Za-z][\w-]*[=:]["']?$/.test(prefix) || /^["']?[;&|]/.test(suffix);
}
