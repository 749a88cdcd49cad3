import type { Answer } from "./answer.ts";
import { at, isObject, type JsonObject, listOf, textOf, timeOf } from "./json.ts";

/** A registered endpoint: one type for all the forms in which Bluum returns it. */
export interface BluumWebhook {
  /** Begins with `wh_`. */
  readonly id: string;
  readonly url: string;
  readonly name?: string;
  readonly description?: string;
  /** `ACTIVE` or `INACTIVE`, always in capitals; or a status that is not documented. */
  readonly status?: "ACTIVE" | "INACTIVE" | (string & {});
  /** Its subscriptions: event names and wildcards. Empty if the answer has none. */
  readonly eventTypeNames: readonly string[];
  /** The secret that signs deliveries, if the answer has it. Store it: Bluum may show it only once, when the webhook is created. */
  readonly secret?: string;
  readonly createdAt?: Date;
  readonly updatedAt?: Date;
  /** Bluum's object, unchanged, with undocumented fields; it may contain the secret. */
  readonly raw: JsonObject;
}

/** Reads the webhook in an answer, in any of the published forms. */
export function webhookOf({ body, unexpected }: Answer): BluumWebhook {
  const objects = ["data.webhook", "webhook", "data"].map((path) => at(body, path));
  const webhook = toWebhook(objects.find(isObject) ?? body);
  if (webhook === undefined) throw unexpected("it contains no webhook with an id and a URL");
  return webhook;
}

/** Reads a webhook in any of the published forms; `undefined` if it has no id or URL. */
export function toWebhook(raw: unknown): BluumWebhook | undefined {
  const id = textOf(raw, "id", "webhook_id", "webhookId");
  const url = textOf(raw, "url");
  if (!isObject(raw) || id === undefined || url === undefined) return undefined;
  const optional = {
    name: textOf(raw, "name"),
    description: textOf(raw, "description"),
    status: textOf(raw, "status")?.toUpperCase(),
    secret: textOf(raw, "secret"),
    createdAt: timeOf(raw, "createdAt", "created_at", "created"),
    updatedAt: timeOf(raw, "updatedAt", "updated_at", "updated"),
  };
  return { id, url, eventTypeNames: namesOf(raw), ...present(optional), raw };
}

function namesOf(raw: unknown): string[] {
  const list = listOf(raw, "eventTypeNames", "event_type_names", "eventTypes", "event_types") ?? [];
  const names = list.map((each) => (typeof each === "string" ? each : textOf(each, "name")));
  return names.filter((name) => name !== undefined);
}

type Present<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** A copy without the fields that are undefined. */
export function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}
