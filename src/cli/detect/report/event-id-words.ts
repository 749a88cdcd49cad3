import { literal } from "../codegen/code-text.ts";
import type { IdFacts } from "./event-id.ts";
import type { EventIdOption } from "./event-id-option.ts";
import type { IdField } from "./id-field.ts";

/** What is known about the event's id, in sentences. */
export function sayings(facts: IdFacts, option: EventIdOption | undefined): string[] {
  if (facts.deliveries.length === 0) return ["No captured body is a JSON object, so none names an event."];
  return [...unnamed(facts), ...evidence(facts), ...verdict(facts, option), ...warnings(facts), ...wanted(facts)];
}

/** A field as it is printed: where it is, and the names that lead to it. */
export function fieldWords({ in: where, path }: IdField): string {
  return `${where} ${path.map((name) => literal(name).slice(1, -1)).join(".")}`;
}

function unnamed({ deliveries }: IdFacts): string[] {
  const count = deliveries.filter(({ payload }) => !isName(payload.event) && !isName(payload.type)).length;
  if (count === 0) return [];
  if (count === deliveries.length) {
    return [
      "No captured body names an event: none has a text as `event` or `type`. A receiver refuses such deliveries.",
    ];
  }
  const [name, them] = count === 1 ? ["names", "it"] : ["name", "them"];
  return [`${count} of ${deliveries.length} captured bodies ${name} no event; a receiver refuses ${them}.`];
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function evidence({ deliveries, events, fields }: IdFacts): string[] {
  const listed = fields.map(fieldWords).join(", ");
  if (events.length < 2) {
    return listed === "" ? [] : [`By their names these may be it: ${listed}. One event alone cannot show it.`];
  }
  const seen = `${deliveries.length} deliveries of ${events.length} events`;
  const retries = deliveries.length > events.length ? " and the same in retries" : "";
  return listed === ""
    ? [`In ${seen}, no field is another in each event${retries}.`]
    : [`In ${seen}, another in each event${retries}: ${listed}.`];
}

function verdict({ taken, sound, retried }: IdFacts, option: EventIdOption | undefined): string[] {
  if (option?.takes === "field")
    return ["The receiver does not take that field by itself; give it the option eventId."];
  if (option) return ["What the receiver would take is no event's id; have it take the hash of the body."];
  if (taken === "nothing") return [];
  if (taken === "body hash") return [hashVerdict(sound, retried)];
  if (!sound) return ["What the receiver takes for it is shared by events, or another in each retry."];
  const where = taken === "payload" ? "The receiver finds it in the body" : "The signature covers it";
  return [`${where}; no option eventId is needed.`];
}

function hashVerdict(sound: boolean, retried: boolean): string {
  if (!sound)
    return "Retries come with other bytes, and nothing signed names the event: they will pass for new events.";
  const proof = retried
    ? "these retries have the same bytes, so they are recognised"
    : "retries with the same bytes are recognised";
  return `The body names none, so the receiver takes the hash of the body; ${proof}. No option eventId is needed.`;
}

function warnings({ fields, resources, taken, signedHeaders }: IdFacts): string[] {
  const unsigned = fields.filter((one) => one.in === "header" && signedHeaders?.includes(one.path[0] ?? "") === false);
  const says: string[] = [];
  if (unsigned.length > 0 && taken !== "payload") {
    says.push(
      `Do not take it from ${unsigned.map(fieldWords).join(", ")}: the signature does not cover it, so whoever captured one delivery could replay it under new ids.`,
    );
  }
  if (fields.length === 0 && resources.length > 0) {
    says.push(
      `Warning: all that looks like an id is a resource's (${resources.map(fieldWords).join(", ")}), not the event's: order.accepted and order.filled of one order share it. Never dedupe on it.`,
    );
  }
  return says;
}

function wanted({ events, retried }: IdFacts): string[] {
  const lacking = [
    ...(events.length > 1 ? [] : ["another event"]),
    ...(retried ? [] : ["a retry of the same event (answer the first with 500)"]),
  ];
  return lacking.length === 0 ? [] : [`To be sure, capture ${lacking.join(" and ")} as well.`];
}
