import { WebhookError } from "../errors.ts";

/** An option whose value cannot work: which, of what, and what it takes. */
export function optionRefused(scheme: string, option: string, requirement: string): WebhookError {
  return new WebhookError("configuration_invalid", `${scheme}: ${option} ${requirement}.`);
}

/** Refuses options that the scheme does not have: a misspelt one would silently keep its default. */
export function checkNames(scheme: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) throw optionRefused(scheme, "options", "must be an object");
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw optionRefused(scheme, unknown, `is no option; there are ${known.join(", ")}`);
}

/** Refuses what cannot be a header's name (RFC 9110, section 5.6.2: a token). */
export function checkHeaderName(scheme: string, header: string): void {
  if (typeof header === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(header)) return;
  throw optionRefused(scheme, "header", "must be the name of the HTTP header that carries the signature");
}

/** Refuses what is not one of the listed values. */
export function checkOneOf(scheme: string, option: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value === "string" && allowed.includes(value)) return;
  throw optionRefused(scheme, option, `must be one of ${allowed.join(", ")}`);
}
