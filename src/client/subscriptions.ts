import type { Ask, CallOptions } from "./api.ts";
import { listEventTypes } from "./event-types.ts";
import type { BluumWebhook } from "./webhook.ts";

/** Whether a webhook has exactly these subscriptions. Bluum may return the matching names instead of a wildcard. */
export async function isSubscribedTo(
  ask: Ask,
  wanted: readonly string[],
  { eventTypeNames }: BluumWebhook,
  options: CallOptions,
): Promise<boolean> {
  const actual = new Set(eventTypeNames);
  if (isSame(actual, new Set(wanted))) return true;
  if (actual.size === 0 || !wanted.some((name) => name.endsWith("*"))) return false;
  const names = (await listEventTypes(ask, options)).map(({ name }) => name);
  return isSame(actual, new Set(wanted.flatMap((pattern) => expanded(pattern, names))));
}

function expanded(pattern: string, names: readonly string[]): readonly string[] {
  if (pattern === "*") return names;
  return pattern.endsWith(".*") ? names.filter((name) => name.startsWith(pattern.slice(0, -1))) : [pattern];
}

function isSame(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return some.size === others.size && [...some].every((each) => others.has(each));
}
