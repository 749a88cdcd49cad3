import type { Answer } from "./answer.ts";
import { at, isObject, type JsonObject, listOf, textOf, timeOf } from "./json.ts";

/** A registered endpoint, one type of all the forms in which Bluum answers with it. */
export interface BluumWebhook {
  /** Begins with `wh_`. */
  readonly id: string;
  readonly url: string;
  readonly name?: string;
  readonly description?: string;
  /** `ACTIVE` or `INACTIVE`, in capitals however it was sent; another word where Bluum invents one. */
  readonly status?: "ACTIVE" | "INACTIVE" | (string & {});
  /** What it is subscribed to: names of events and wildcards. Empty where the answer does not tell. */
  readonly eventTypeNames: readonly string[];
  /** What deliveries are signed with, where the answer has it: Bluum may show it once only, to who creates the webhook. Keep it. */
  readonly secret?: string;
  readonly createdAt?: Date;
  readonly updatedAt?: Date;
  /** Bluum's own object, untouched, with all that is not documented; the secret too, where it is there. */
  readonly raw: JsonObject;
}

/** Reads the one webhook that an answer is about, in any of the published forms. */
export function webhookOf({ body, unexpected }: Answer): BluumWebhook {
  const objects = ["data.webhook", "webhook", "data"].map((path) => at(body, path));
  const webhook = toWebhook(objects.find(isObject) ?? body);
  if (webhook === undefined) throw unexpected("there is no webhook with an id and a URL in it");
  return webhook;
}

/** Makes one type of the published forms. `undefined` where there is no id or no URL. */
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

/** Without what is undefined. */
export function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}
