import { Buffer } from "node:buffer";
import { literal } from "../codegen/code-text.ts";
import type { IdFacts } from "./event-id.ts";
import { behaviourOf } from "./events.ts";
import { type IdField, isNamedForEvent } from "./id-field.ts";

/** A line for `createReceiver`, and which id it takes. */
export interface EventIdOption {
  readonly takes: "field" | "body hash";
  readonly code: string;
}

/**
 * The option that is needed where the receiver's own choice is wrong, or is a hash although the body names an id. A field counts
 * only for what was seen of it: a wrong id loses events, a hash at most doubles a retry.
 */
export function optionFor({ taken, sound, fields, events, retried }: IdFacts): EventIdOption | undefined {
  if (events.length < 2 || taken === "nothing" || (sound && taken !== "body hash")) return undefined;
  const field = fields.find((one) => one.in === "body" && (retried || isNamedForEvent(one)));
  if (field) return { takes: "field", code: `eventId: ({ payload }) => ${readingOf(field)},` };
  const byBytes = behaviourOf(events, ({ captured }) => Buffer.from(captured.body).toString("latin1"));
  return taken === "body hash" || !byBytes.staysInRetries ? undefined : { takes: "body hash", code: HASH };
}

const HASH =
  'eventId: ({ rawBody }) => createHash("sha256").update(rawBody).digest("hex"), // import { createHash } from "node:crypto"';

/** An expression that gives the field's text, or undefined where it is missing. */
function readingOf({ path, isNumber }: IdField): string {
  const type = path.reduceRight((inner, name) => `{ ${literal(name)}?: ${inner} }`, isNumber ? "number" : "string");
  const access = path.map((name, level) => `${level === 0 ? "" : "?."}[${literal(name)}]`).join("");
  return `(payload as ${type})${access}${isNumber ? "?.toString()" : ""}`;
}
