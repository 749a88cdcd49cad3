import { containsId, hasResourcePrefix } from "../../../bluum/envelope.ts";
import { isRecord } from "../../json.ts";
import { stringLiteral } from "../../printable.ts";
import { isProviderHeader, timeFormatOf } from "../search/header-values.ts";
import { type ParsedDelivery, variationOf } from "./events.ts";

/** A field that may be the event's id. */
export interface IdField {
  readonly in: "header" | "body";
  /** The name of the header, or the names of the nested fields. */
  readonly path: readonly string[];
  /** Whether it is a number in the body. */
  readonly isNumber: boolean;
  /** Whether it is the id of a resource, which several events share. */
  readonly isResource: boolean;
}

const MAX_FIELDS = 200;
const MAX_DEPTH = 3;

/** The fields that every delivery has, that differ between events and that are the same in retries; the likeliest first. */
export function idFields(events: readonly (readonly ParsedDelivery[])[]): IdField[] {
  const first = events[0]?.[0];
  if (first === undefined) return [];
  const fields = [...headerFields(first), ...bodyFields(first.payload)].slice(0, MAX_FIELDS);
  return fields.filter((field) => variesAsId(field, events)).sort((a, b) => doubt(a) - doubt(b));
}

/** A field in words, for example `body data.id`. */
export function describeField({ in: place, path }: IdField): string {
  return `${place} ${path.map((name) => stringLiteral(name).slice(1, -1)).join(".")}`;
}

/** The expression that reads a field of the body as a string; undefined if the field is missing. */
export function fieldExpression({ path, isNumber }: IdField): string {
  const type = path.reduceRight(
    (inner, name) => `{ ${stringLiteral(name)}?: ${inner} }`,
    isNumber ? "number" : "string",
  );
  const access = path.map((name, level) => `${level === 0 ? "" : "?."}[${stringLiteral(name)}]`).join("");
  return `(payload as ${type})${access}${isNumber ? "?.toString()" : ""}`;
}

/** Whether a field is named after an event or a message. */
export function isNamedAfterEvent({ path }: IdField): boolean {
  return /event|message|msg|notification|webhook|svix/i.test(path.join("."));
}

/** Headers that carry the message id of Standard Webhooks, or of providers that follow it. */
const MESSAGE_ID_NAME = /(^|-)(webhook|svix|message|msg|event)-?id$/;

/**
 * Whether a signed id identifies the event, so that a receiver may deduplicate by it. The proof is a captured retry with the same
 * id, or else the header's name: an id of the attempt would make each retry a new event.
 */
export function isSignedEventId(
  header: string,
  events: readonly (readonly ParsedDelivery[])[],
  read: (one: ParsedDelivery) => string | undefined,
): boolean {
  const { isAlwaysSet, isUnique, isStable } = variationOf(events, read);
  if (events.length === 0 || !isAlwaysSet || !isUnique || !isStable) return false;
  const hasRetry = events.some((deliveries) => deliveries.length > 1);
  return (hasRetry && events.length > 1) || MESSAGE_ID_NAME.test(header);
}

function fieldValue({ in: place, path }: IdField, { delivery, payload }: ParsedDelivery): string | undefined {
  if (place === "header") return delivery.headers.get(path[0] ?? "")?.value;
  const value = path.reduce<unknown>(
    (parent, name) => (isRecord(parent) && Object.hasOwn(parent, name) ? parent[name] : undefined),
    payload,
  );
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

function variesAsId(field: IdField, events: readonly (readonly ParsedDelivery[])[]): boolean {
  const { isAlwaysSet, isUnique, isStable } = variationOf(events, (one) => fieldValue(field, one));
  return isAlwaysSet && isStable && (isUnique || field.isResource);
}

function headerFields({ delivery }: ParsedDelivery): IdField[] {
  return [...delivery.headers]
    .filter(([header, { value }]) => isProviderHeader(header) && looksLikeId(header, value))
    .map(([header]) => ({ in: "header", path: [header], isNumber: false, isResource: false }));
}

function bodyFields(payload: Readonly<Record<string, unknown>>): IdField[] {
  return scalarsIn(payload, MAX_DEPTH)
    .filter(({ path, value }) => looksLikeId(path.at(-1) ?? "", String(value)))
    .map(({ path, value }) => ({
      in: "body",
      path,
      isNumber: typeof value === "number",
      isResource: isResourceId(path, String(value), payload),
    }));
}

interface Scalar {
  readonly path: readonly string[];
  readonly value: string | number;
}

function scalarsIn(record: Readonly<Record<string, unknown>>, depth: number): Scalar[] {
  return Object.entries(record)
    .slice(0, MAX_FIELDS)
    .flatMap(([name, value]): Scalar[] => {
      if (typeof value === "string" || typeof value === "number") return [{ path: [name], value }];
      if (depth === 1 || !isRecord(value)) return [];
      return scalarsIn(value, depth - 1).map((inner) => ({ path: [name, ...inner.path], value: inner.value }));
    });
}

/** Whether a value is a resource's id: it has such an id's prefix, as the receiver knows them, or is anywhere in `data`. */
function isResourceId(path: readonly string[], value: string, { data }: Readonly<Record<string, unknown>>): boolean {
  if (hasResourcePrefix(value) || (path[0] === "data" && path.length > 1)) return true;
  return typeof data === "object" && data !== null && containsId(data, value);
}

const ID_NAME = /(^|[-_.])(id|uuid|guid|nonce|key)$|[a-z](Id|ID|Uuid|UUID|Key)$|^(delivery|message|msg|notification)$/;

function looksLikeId(name: string, value: string): boolean {
  return ID_NAME.test(name) && value !== "" && value.length <= 200 && timeFormatOf(value) === undefined;
}

/** Fields named after an event or a message come first, then those of lower depth; ids of resources come last. */
function doubt(field: IdField): number {
  const { path, isResource, in: place } = field;
  return (isResource ? 100 : 0) + (isNamedAfterEvent(field) ? 0 : 4) + path.length + (place === "header" ? 0.5 : 0);
}
