import type { CapturedDelivery } from "../../capture.ts";
import { signatureTexts } from "./signature-text.ts";

/** How a timestamp is written. */
export type TimeFormat = "seconds" | "milliseconds" | "microseconds" | "nanoseconds" | "iso" | "http-date";

const ISO = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:?\d\d)$/;
const HTTP_DATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;
/** Unix seconds of the years 2001 to 2099. */
const SECONDS = /^[1-3]\d{9}(\.\d{1,9})?$/;

/** The format of a timestamp; undefined if the text is none. */
export function timeFormatOf(text: string): TimeFormat | undefined {
  if (SECONDS.test(text)) return "seconds";
  if (/^[1-3]\d{12}$/.test(text)) return "milliseconds";
  if (/^[1-3]\d{15}$/.test(text)) return "microseconds";
  if (/^[1-3]\d{18}$/.test(text)) return "nanoseconds";
  if (Number.isNaN(Date.parse(text))) return undefined;
  if (ISO.test(text)) return "iso";
  return HTTP_DATE.test(text) ? "http-date" : undefined;
}

/** A timestamp as epoch milliseconds. */
export function epochMs(text: string, format: TimeFormat): number {
  if (format === "iso" || format === "http-date") return Date.parse(text);
  return Number(text) * UNIT_MS[format];
}

/** The milliseconds in one of each unit. */
export const UNIT_MS: Readonly<Record<Exclude<TimeFormat, "iso" | "http-date">, number>> = {
  seconds: 1_000,
  milliseconds: 1,
  microseconds: 1e-3,
  nanoseconds: 1e-6,
};

/** Whether text contains something like a timestamp, so that it differs in each delivery. */
export function hasTimestamp(text: string): boolean {
  return /(?<!\d)[1-3]\d{9}(\d{3}){0,3}(?!\d)|\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d/.test(text);
}

/** The separators of lists in headers, those of the package's own schemes first. */
export const SEPARATORS: readonly string[] = [",", ";", " ", "|", "&", ":", ".", "-", "_", "/"];

/** The trimmed elements of a list, without empty ones. */
export function elementsOf(value: string, separator: string): string[] {
  return value
    .split(separator)
    .map((element) => element.trim())
    .filter((element) => element !== "");
}

/** The place of a timestamp or an id: a whole header, or an element of a list in one. */
export interface HeaderSource {
  /** In lower case. */
  readonly header: string;
  /** For an element of a list: the list's separator, and the text before the value, such as `t=`. */
  readonly element?: ListElement;
  /** The format, if it is a timestamp. */
  readonly format?: TimeFormat;
}

interface ListElement {
  readonly separator: string;
  readonly prefix: string;
}

/** The most timestamps, and the most ids, of one delivery that are tried. */
const MAX_SOURCES = 6;
const MAX_LENGTH = 200;

/** The text at a source in a delivery; undefined if the delivery has none in the same format. */
export function readSource(
  { header, element, format }: HeaderSource,
  { headers }: CapturedDelivery,
): string | undefined {
  const value = headers.get(header)?.value;
  if (value === undefined) return undefined;
  const texts = element ? elementTexts(value, element) : [value];
  return texts.find((text) => text !== "" && (format === undefined || timeFormatOf(text) === format));
}

/** The sources of timestamps in a delivery, the likeliest first. */
export function timestampSources(delivery: CapturedDelivery): HeaderSource[] {
  const sources = headerTexts(delivery).flatMap(({ header, text, element }) => {
    const format = timeFormatOf(text);
    return format ? [{ header, format, ...(element && { element }) }] : [];
  });
  return likeliest(sources, ({ header, element }) => (element ? 3 : 0) + Number(/time|stamp/.test(header)));
}

/** The sources of ids in a delivery, the likeliest first. */
export function idSources(delivery: CapturedDelivery): HeaderSource[] {
  const sources = headerTexts(delivery)
    .filter(({ header, text, element }) => isId(text) && (element ? element.prefix !== "" : isProviderHeader(header)))
    .map(({ header, element }) => ({ header, ...(element && { element }) }));
  return likeliest(sources, ({ header, element }) => (element ? 1 : 0) + (ID_NAME.test(header) ? 2 : 0));
}

const ID_NAME = /(^|[-_])(id|uuid|guid|nonce|delivery|message|msg|event|request)([-_]|$)/;

/** Headers of HTTP itself, and those that proxies and hosting platforms add. */
const STANDARD_HEADER =
  /^(accept|accept-.*|authorization|cache-control|cdn-loop|cf-.*|connection|content-.*|cookie|date|expect|fly-.*|forwarded|host|keep-alive|origin|pragma|referer|sec-.*|te|trace(parent|state)|transfer-encoding|true-client-ip|upgrade.*|user-agent|via|x-amz.*|x-amzn.*|x-b3-.*|x-cloud-.*|x-datadog-.*|x-forwarded.*|x-real-ip|x-render-.*|x-vercel-.*)$/;

/** Whether a header may be one of the provider's own. */
export function isProviderHeader(header: string): boolean {
  return !STANDARD_HEADER.test(header);
}

function isId(text: string): boolean {
  return text.length <= MAX_LENGTH && /^[!-~]+$/.test(text) && timeFormatOf(text) === undefined;
}

interface HeaderText {
  readonly header: string;
  readonly text: string;
  readonly element?: ListElement;
}

/** The whole value of each header, and the elements of headers that also carry a signature. */
function headerTexts({ headers }: CapturedDelivery): HeaderText[] {
  return [...headers].flatMap(([header, { value }]) => {
    const isSigned = signatureTexts(value).length > 0;
    // Many ids are as long as a SHA-1 signature, so the name decides.
    const isSignature = isSigned && /sig|hmac|hash|digest/.test(header);
    const whole = value.length <= MAX_LENGTH && !isSignature ? [{ header, text: value }] : [];
    return isSigned ? [...whole, ...listTexts(header, value)] : whole;
  });
}

function listTexts(header: string, value: string): HeaderText[] {
  const found = new Map<string, HeaderText>();
  for (const separator of SEPARATORS) {
    for (const element of elementsOf(value, separator)) {
      const prefix = /^[A-Za-z][\w-]{0,15}[=: ]/.exec(element)?.[0] ?? "";
      const text = element.slice(prefix.length);
      if (text !== "" && text.length <= MAX_LENGTH && !found.has(text)) {
        found.set(text, { header, text, element: { separator, prefix } });
      }
    }
  }
  return [...found.values()];
}

function elementTexts(value: string, { separator, prefix }: ListElement): string[] {
  return elementsOf(value, separator)
    .filter((element) => element.startsWith(prefix))
    .map((element) => element.slice(prefix.length));
}

function likeliest<T>(sources: readonly T[], likelihood: (source: T) => number): T[] {
  return [...sources].sort((a, b) => likelihood(b) - likelihood(a)).slice(0, MAX_SOURCES);
}
