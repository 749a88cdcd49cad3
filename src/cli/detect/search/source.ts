import type { Captured } from "./delivery.ts";
import { writtenIn } from "./digest.ts";
import { elementsOf, SEPARATORS } from "./locator.ts";
import { type TimeFormat, timeFormatOf } from "./time-format.ts";

/** A text of the headers that may be part of what is signed: a whole header, or an element of a list in one. */
export interface Source {
  /** In lower case. */
  readonly header: string;
  /** Of a list's element; a whole header has none. */
  readonly element?: { readonly separator: string; readonly prefix: string };
  /** How the moment is written, where the text is a timestamp. */
  readonly format?: TimeFormat;
}

/** So many timestamps and ids of one delivery are tried. */
const MAX_SOURCES = 6;
const MAX_LENGTH = 200;

/** What a source's text is in a delivery, where the delivery has it in the same form. */
export function textOf({ header, element, format }: Source, captured: Captured): string | undefined {
  const value = captured.headers.get(header)?.value;
  if (value === undefined) return undefined;
  const texts = element ? elementTexts(value, element) : [value];
  return texts.find((text) => text !== "" && (format === undefined || timeFormatOf(text) === format));
}

/** Where a delivery carries timestamps, the likeliest first. */
export function timestampSources(captured: Captured): Source[] {
  const sources = headersWithTexts(captured).flatMap(({ header, texts }) =>
    texts.flatMap(({ text, element }) => {
      const format = timeFormatOf(text);
      return format ? [{ header, format, ...(element && { element }) }] : [];
    }),
  );
  return firstOf(sources, ({ header, element }) => (element ? 3 : 0) + Number(/time|stamp/.test(header)));
}

/** Where a delivery carries ids, the likeliest first. */
export function idSources(captured: Captured): Source[] {
  const sources = headersWithTexts(captured).flatMap(({ header, texts }) =>
    texts
      .filter(({ text, element }) => isId(text) && (element ? element.prefix !== "" : !NEVER_IDS.test(header)))
      .map(({ element }) => ({ header, ...(element && { element }) })),
  );
  return firstOf(sources, ({ header, element }) => (element ? 1 : 0) + (LIKE_AN_ID.test(header) ? 2 : 0));
}

/** Whether a header may carry something of the provider's own. */
export function isProvidersOwn(header: string): boolean {
  return !NEVER_IDS.test(header);
}

const LIKE_AN_ID = /(^|[-_])(id|uuid|guid|nonce|delivery|message|msg|event|request)([-_]|$)/;
/** Headers of HTTP itself and of proxies. */
const NEVER_IDS =
  /^(accept|accept-.*|authorization|cache-control|cdn-loop|cf-.*|connection|content-.*|cookie|date|expect|fly-.*|forwarded|host|keep-alive|origin|pragma|referer|sec-.*|te|trace(parent|state)|transfer-encoding|true-client-ip|upgrade.*|user-agent|via|x-amz.*|x-amzn.*|x-b3-.*|x-cloud-.*|x-datadog-.*|x-forwarded.*|x-real-ip|x-render-.*|x-vercel-.*)$/;

function isId(text: string): boolean {
  return text.length <= MAX_LENGTH && /^[!-~]+$/.test(text) && timeFormatOf(text) === undefined;
}

interface HeaderTexts {
  readonly header: string;
  readonly texts: readonly { readonly text: string; readonly element?: NonNullable<Source["element"]> }[];
}

/** The texts of each header: its whole value, and the elements of headers that carry a signature beside them. */
function headersWithTexts({ headers }: Captured): HeaderTexts[] {
  return [...headers].map(([header, { value }]) => {
    const isSigned = writtenIn(value).length > 0;
    // Many an id is as long as a signature by SHA-1.
    const whole =
      value.length <= MAX_LENGTH && !(isSigned && /sig|hmac|hash|digest/.test(header)) ? [{ text: value }] : [];
    return { header, texts: isSigned ? [...whole, ...elementsWithTexts(value)] : whole };
  });
}

function elementsWithTexts(value: string): HeaderTexts["texts"] {
  const found = new Map<string, { text: string; element: NonNullable<Source["element"]> }>();
  for (const separator of SEPARATORS) {
    for (const text of elementsOf(value, separator)) {
      const prefix = /^[A-Za-z][\w-]{0,15}[=: ]/.exec(text)?.[0] ?? "";
      const rest = text.slice(prefix.length);
      if (rest !== "" && rest.length <= MAX_LENGTH && !found.has(rest)) {
        found.set(rest, { text: rest, element: { separator, prefix } });
      }
    }
  }
  return [...found.values()];
}

function elementTexts(value: string, { separator, prefix }: NonNullable<Source["element"]>): string[] {
  return elementsOf(value, separator)
    .filter((element) => element.startsWith(prefix))
    .map((element) => element.slice(prefix.length));
}

function firstOf<T>(sources: readonly T[], likelihood: (source: T) => number): T[] {
  return [...sources].sort((one, other) => likelihood(other) - likelihood(one)).slice(0, MAX_SOURCES);
}
