import type { Captured } from "./delivery.ts";
import { idSources, type Source, textOf, timestampSources } from "./source.ts";
import { type UrlForm, urlFormsOf, urlOf } from "./url-form.ts";

/** A part of what is signed. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "body" }
  | { readonly kind: "method" }
  | { readonly kind: "timestamp" | "id"; readonly source: Source }
  | { readonly kind: "url"; readonly form: UrlForm };

/** What is signed: its parts, in order, the body among them once. */
export type Content = readonly Part[];

/** What is signed of one delivery: text before and after its body. */
export interface Rendered {
  readonly before: string;
  readonly after: string;
}

/** Contents that are the same bytes in one delivery. */
export interface ContentGroup extends Rendered {
  readonly contents: Content[];
}

const ALL = [".", "", ":", "|", "\n", "-", "_", ",", " ", ";", "&", "/"];
const FEW = [".", "", ":", "\n", "|"];

/**
 * What providers sign, the likeliest first: B is the body, T a timestamp, I an id, M the method, U the URL or a part of it;
 * anything else stands for itself. Each is joined by each of the joiners.
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
  // An empty part at the end: a line break after the body.
  ["T I B ", ["\n"]],
  ["T B ", ["\n"]],
  ...["T B I", "I B T", "B T I", "B I T"].map((shape) => [shape, FEW] as const),
  ...["U B", "B U", "M U B"].map((shape) => [shape, FEW] as const),
  ...["U T B", "T U B", "U B T", "T M U B", "M U T B", "M U B T", "M T U B"].map((shape) => [shape, FEW] as const),
  ...["T I M U B", "M U T I B", "M U I T B"].map((shape) => [shape, FEW] as const),
];

/** All that may be signed in a delivery, the likeliest first; what is the same bytes comes once. */
export function contentGroups(captured: Captured, urls: readonly string[]): ContentGroup[] {
  const groups = new Map<string, ContentGroup>();
  for (const content of contentsOf(captured, urls)) {
    const rendered = render(content, captured);
    if (rendered === undefined) continue;
    // Around an empty body, what is before and what is after are the same bytes.
    const key = captured.body.byteLength === 0 ? rendered.before + rendered.after : JSON.stringify(rendered);
    const group = groups.get(key) ?? { ...rendered, contents: [] };
    group.contents.push(content);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Where a content has its timestamp or id from, where it has one. */
export function sourceIn(content: Content, kind: "timestamp" | "id"): Source | undefined {
  for (const part of content) if (part.kind === kind) return part.source;
  return undefined;
}

/** What a content is in a delivery; undefined where the delivery lacks a part of it. */
export function render(content: Content, captured: Captured): Rendered | undefined {
  const texts = content.map((part) => (part.kind === "body" ? "" : textOfPart(part, captured)));
  if (texts.includes(undefined)) return undefined;
  const body = content.findIndex(({ kind }) => kind === "body");
  return { before: texts.slice(0, body).join(""), after: texts.slice(body + 1).join("") };
}

function textOfPart(part: Exclude<Part, { kind: "body" }>, captured: Captured): string | undefined {
  switch (part.kind) {
    case "text":
      return part.text;
    case "method":
      return captured.method;
    case "url":
      return urlOf(part.form, captured);
    default:
      return textOf(part.source, captured);
  }
}

function* contentsOf(captured: Captured, urls: readonly string[]): Generator<Content> {
  const choices: Record<string, readonly Part[]> = {
    B: [{ kind: "body" }],
    M: [{ kind: "method" }],
    T: timestampSources(captured).map((source) => ({ kind: "timestamp", source })),
    I: idSources(captured).map((source) => ({ kind: "id", source })),
    U: urlFormsOf(captured, urls).map((form) => ({ kind: "url", form })),
  };
  for (const [shape, joiners] of SHAPES) {
    const slots = shape.split(" ").map((name) => choices[name] ?? [{ kind: "text" as const, text: name }]);
    for (const parts of combinationsOf(slots)) for (const joiner of joiners) yield joined(parts, joiner);
  }
}

/** Every choice of one part for each slot. */
function combinationsOf(slots: readonly (readonly Part[])[]): Part[][] {
  return slots.reduce<Part[][]>(
    (combinations, slot) => combinations.flatMap((combination) => slot.map((part) => [...combination, part])),
    [[]],
  );
}

function joined(parts: readonly Part[], joiner: string): Content {
  const content: Part[] = [];
  for (const [place, part] of parts.entries()) {
    const text = (place > 0 ? joiner : "") + (part.kind === "text" ? part.text : "");
    const last = content.at(-1);
    if (last?.kind === "text") content[content.length - 1] = { kind: "text", text: last.text + text };
    else if (text !== "") content.push({ kind: "text", text });
    if (part.kind !== "text") content.push(part);
  }
  return content;
}
