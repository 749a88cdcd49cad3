import type { CapturedDelivery } from "../../capture.ts";
import { type HeaderSource, idSources, readSource, timestampSources } from "./header-values.ts";

/** A part of the signed content. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "body" }
  | { readonly kind: "method" }
  | { readonly kind: "timestamp" | "id"; readonly source: HeaderSource }
  | { readonly kind: "url"; readonly form: UrlForm };

/** The signed content: its parts in order, exactly one of them the body. */
export type Content = readonly Part[];

/** The part of the URL that is signed: of the request, built from a header with the host, or given by the user. */
export type UrlForm =
  | { readonly from: "request"; readonly part: "path" | "pathname" }
  | { readonly from: "host"; readonly header: "host" | "x-forwarded-host"; readonly protocol: "https" | "http" }
  | { readonly from: "given"; readonly url: string };

/** The text that is signed before and after the body of one delivery. */
export interface SignedText {
  readonly before: string;
  readonly after: string;
}

/** Contents that are the same bytes in one delivery. */
export interface ContentGroup extends SignedText {
  readonly contents: Content[];
}

const ALL = [".", "", ":", "|", "\n", "-", "_", ",", " ", ";", "&", "/"];
const FEW = [".", "", ":", "\n", "|"];

/**
 * The contents that providers sign, the likeliest first: B is the body, T a timestamp, I an id, M the method, U the URL or a
 * part of it; other words are literal text. The parts are joined by each of the joiners.
 */
const SHAPES: readonly (readonly [shape: string, joiners: readonly string[]])[] = [
  ["B", [""]],
  ["T B", ALL],
  ["v0 T B", [":", "."]],
  ["v1 T B", [":", "."]],
  ["I T B", ALL],
  ["B T", ALL],
  ["T I B", ALL],
  ["I B", ALL],
  ["B I", FEW],
  // An empty last part: a line break after the body.
  ["T I B ", ["\n"]],
  ["T B ", ["\n"]],
  ...["T B I", "I B T", "B T I", "B I T"].map((shape) => [shape, FEW] as const),
  ...["U B", "B U", "M U B"].map((shape) => [shape, FEW] as const),
  ...["U T B", "T U B", "U B T", "T M U B", "M U T B", "M U B T", "M T U B"].map((shape) => [shape, FEW] as const),
  ...["T I M U B", "M U T I B", "M U I T B"].map((shape) => [shape, FEW] as const),
];

/**
 * The contents that may be signed in a delivery, the likeliest first. Contents of the same bytes are one group.
 *
 * @param urls URLs that the user gives
 */
export function contentGroups(delivery: CapturedDelivery, urls: readonly string[]): ContentGroup[] {
  const groups = new Map<string, ContentGroup>();
  for (const content of contentsOf(delivery, urls)) {
    const signed = signedText(content, delivery);
    if (signed === undefined) continue;
    // With an empty body, text before it and text after it are the same bytes.
    const key = delivery.body.byteLength === 0 ? signed.before + signed.after : JSON.stringify(signed);
    const group = groups.get(key) ?? { ...signed, contents: [] };
    group.contents.push(content);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** The source of a content's timestamp or id; undefined if it has none. */
export function sourceIn(content: Content, kind: "timestamp" | "id"): HeaderSource | undefined {
  for (const part of content) if (part.kind === kind) return part.source;
  return undefined;
}

/** The text of a content in a delivery; undefined if the delivery lacks a part of it. */
export function signedText(content: Content, delivery: CapturedDelivery): SignedText | undefined {
  const texts = content.map((part) => (part.kind === "body" ? "" : textOfPart(part, delivery)));
  if (texts.includes(undefined)) return undefined;
  const body = content.findIndex(({ kind }) => kind === "body");
  return { before: texts.slice(0, body).join(""), after: texts.slice(body + 1).join("") };
}

/** The URL of a form in a delivery; undefined if the delivery lacks the header with the host. */
export function urlOf(form: UrlForm, delivery: CapturedDelivery): string | undefined {
  if (form.from === "given") return form.url;
  const path = delivery.url.replace(/^https?:\/\/[^/]*/i, "") || "/";
  if (form.from === "request") return form.part === "path" ? path : path.replace(/\?.*$/s, "");
  const host = delivery.headers.get(form.header)?.value;
  return host === undefined || host === "" ? undefined : `${form.protocol}://${host}${path}`;
}

function textOfPart(part: Exclude<Part, { kind: "body" }>, delivery: CapturedDelivery): string | undefined {
  switch (part.kind) {
    case "text":
      return part.text;
    case "method":
      return delivery.method;
    case "url":
      return urlOf(part.form, delivery);
    default:
      return readSource(part.source, delivery);
  }
}

function* contentsOf(delivery: CapturedDelivery, urls: readonly string[]): Generator<Content> {
  const choices: Record<string, readonly Part[]> = {
    B: [{ kind: "body" }],
    M: [{ kind: "method" }],
    T: timestampSources(delivery).map((source) => ({ kind: "timestamp", source })),
    I: idSources(delivery).map((source) => ({ kind: "id", source })),
    U: urlForms(delivery, urls).map((form) => ({ kind: "url", form })),
  };
  for (const [shape, joiners] of SHAPES) {
    const choicesOfParts = shape.split(" ").map((word) => choices[word] ?? [{ kind: "text" as const, text: word }]);
    for (const parts of combinationsOf(choicesOfParts)) for (const joiner of joiners) yield joinParts(parts, joiner);
  }
}

/** The forms in which a delivery's URL may be signed, the likeliest first. Forms that give the same URL are listed once. */
function urlForms(delivery: CapturedDelivery, urls: readonly string[]): UrlForm[] {
  const forms: UrlForm[] = [
    ...urls.map((url) => ({ from: "given", url }) as const),
    ...(["https", "http"] as const).flatMap((protocol) =>
      (["x-forwarded-host", "host"] as const).map((header) => ({ from: "host", header, protocol }) as const),
    ),
    { from: "request", part: "path" },
    { from: "request", part: "pathname" },
  ];
  const known = new Set<string | undefined>([undefined]);
  return forms.filter((form) => {
    const url = urlOf(form, delivery);
    return known.has(url) ? false : known.add(url);
  });
}

/** Every combination of one choice for each part. */
function combinationsOf(choices: readonly (readonly Part[])[]): Part[][] {
  return choices.reduce<Part[][]>(
    (combinations, parts) => combinations.flatMap((combination) => parts.map((part) => [...combination, part])),
    [[]],
  );
}

function joinParts(parts: readonly Part[], joiner: string): Content {
  const content: Part[] = [];
  for (const [index, part] of parts.entries()) {
    const text = (index > 0 ? joiner : "") + (part.kind === "text" ? part.text : "");
    const last = content.at(-1);
    if (last?.kind === "text") content[content.length - 1] = { kind: "text", text: last.text + text };
    else if (text !== "") content.push({ kind: "text", text });
    if (part.kind !== "text") content.push(part);
  }
  return content;
}
