import { containsId, hasResourcePrefix } from "../../bluum/envelope.ts";
import { behaviourOf, isRecord, type ParsedCapture } from "./events.ts";
import { isProvidersOwn } from "./source.ts";
import { timeFormatOf } from "./time-format.ts";

/** A field that may be the event's id. */
export interface IdField {
  readonly in: "header" | "body";
  /** The names that lead to it: one of a header, or those of nested objects. */
  readonly path: readonly string[];
  /** Whether it is a number in the body. */
  readonly isNumber: boolean;
  /** Whether it is the id of what the event is about, which several events share. */
  readonly isResource: boolean;
}

const MAX_FIELDS = 200;
const LEVELS = 3;

/** The fields that every delivery has, that no two events share, and that stay the same in retries; the likeliest first. */
export function idFields(events: readonly (readonly ParsedCapture[])[]): IdField[] {
  const first = events[0]?.[0];
  if (first === undefined) return [];
  const fields = [...headerFields(first), ...bodyFields(first.payload)].slice(0, MAX_FIELDS);
  return fields.filter((field) => behavesAsId(field, events)).sort((one, other) => doubt(one) - doubt(other));
}

/** What a field holds in one delivery. */
function fieldValue({ in: where, path }: IdField, { captured, payload }: ParsedCapture): string | undefined {
  if (where === "header") return captured.headers.get(path[0] ?? "")?.value;
  const value = path.reduce<unknown>(
    (at, name) => (isRecord(at) && Object.hasOwn(at, name) ? at[name] : undefined),
    payload,
  );
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

function behavesAsId(field: IdField, events: readonly (readonly ParsedCapture[])[]): boolean {
  const { always, differs, staysInRetries } = behaviourOf(events, (one) => fieldValue(field, one));
  return always && staysInRetries && (differs || field.isResource);
}

function headerFields({ captured }: ParsedCapture): IdField[] {
  return [...captured.headers]
    .filter(([header, { value }]) => isProvidersOwn(header) && looksLikeId(header, value))
    .map(([header]) => ({ in: "header", path: [header], isNumber: false, isResource: false }));
}

function bodyFields(payload: Readonly<Record<string, unknown>>): IdField[] {
  return scalarsIn(payload, LEVELS)
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

function scalarsIn(record: Readonly<Record<string, unknown>>, levels: number): Scalar[] {
  return Object.entries(record)
    .slice(0, MAX_FIELDS)
    .flatMap(([name, value]): Scalar[] => {
      if (typeof value === "string" || typeof value === "number") return [{ path: [name], value }];
      if (levels === 1 || !isRecord(value)) return [];
      return scalarsIn(value, levels - 1).map((inner) => ({ path: [name, ...inner.path], value: inner.value }));
    });
}

/** As the receiver knows them, and whatever stands in `data`. */
function isResourceId(path: readonly string[], value: string, { data }: Readonly<Record<string, unknown>>): boolean {
  if (hasResourcePrefix(value) || (path[0] === "data" && path.length > 1)) return true;
  return typeof data === "object" && data !== null && containsId(data, value);
}

const ID_NAME = /(^|[-_.])(id|uuid|guid|nonce|key)$|[a-z](Id|ID|Uuid|UUID|Key)$|^(delivery|message|msg|notification)$/;

function looksLikeId(name: string, value: string): boolean {
  return ID_NAME.test(name) && value !== "" && value.length <= 200 && timeFormatOf(value) === undefined;
}

/** Whether a field is named for an event or a message. */
export function isNamedForEvent({ path }: IdField): boolean {
  return /event|message|msg|notification|webhook|svix/i.test(path.join("."));
}

/** Named for an event or a message is best, then nearer to the top; resources come last. */
function doubt(field: IdField): number {
  const { path, isResource, in: where } = field;
  return (isResource ? 100 : 0) + (isNamedForEvent(field) ? 0 : 4) + path.length + (where === "header" ? 0.5 : 0);
}
