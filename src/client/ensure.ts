import type { Ask, CallOptions } from "./api.ts";
import { BluumApiError, refused } from "./errors.ts";
import { checkFields, type Fields, fieldsOf, namesOf } from "./input.ts";
import { isSubscribedTo } from "./subscriptions.ts";
import type { BluumWebhook } from "./webhook.ts";
import { createWebhook, listWebhooks, updateWebhook } from "./webhooks.ts";

/** An object with the patterns to subscribe to, such as a receiver. */
export interface HasPatterns {
  patterns(): readonly string[];
}

/** The webhook that should exist. */
export type EnsureWebhook = {
  /** Where deliveries are sent. An existing webhook is found by it. */
  readonly url: string | URL;
  /**
   * Its display name.
   * @default host and path for a new webhook; an existing one keeps its name
   */
  readonly name?: string | undefined;
  /** @default none for a new webhook; an existing one keeps its description */
  readonly description?: string | undefined;
  /**
   * Whether an `INACTIVE` webhook is made `ACTIVE` again. Give `false` if people switch it off on purpose.
   * @default true
   */
  readonly activate?: boolean | undefined;
} & (
  | {
      /** The exact subscriptions: event names and wildcards. */
      readonly eventTypeNames: readonly string[];
      readonly receiver?: never;
    }
  | {
      /** Its `patterns()` are the exact subscriptions. */
      readonly receiver: HasPatterns;
      readonly eventTypeNames?: never;
    }
);

/** The fields that `ensure` may change. */
export type EnsuredField = "eventTypeNames" | "name" | "description" | "status";

/** What `ensure` found and did. */
export interface EnsuredWebhook {
  readonly action: "created" | "updated" | "unchanged";
  /** The fields that were changed; empty unless `action` is `updated`. */
  readonly changed: readonly EnsuredField[];
  /**
   * The webhook as it is now. A new one has its `secret` if Bluum sends it. There is no secret if the answer to the creation was lost
   * and the webhook was found in the list.
   */
  readonly webhook: BluumWebhook;
  /** Other webhooks with the same URL. They are not changed; for each of them Bluum sends every event once more. */
  readonly duplicates: readonly BluumWebhook[];
}

const OPERATION = "webhooks.ensure";

/** Makes sure that a webhook with this URL and these subscriptions exists. */
export async function ensureWebhook(
  ask: Ask,
  input: EnsureWebhook,
  options: CallOptions = {},
): Promise<EnsuredWebhook> {
  const wanted = wantedOf(input);
  const found = await webhooksAt(ask, wanted.url, options);
  return found.length > 0 ? await align(ask, wanted, found, options) : await createOnce(ask, wanted, options);
}

type Wanted = Fields & { readonly url: string; readonly eventTypeNames: string[] };

function wantedOf(input: EnsureWebhook): Wanted {
  checkFields(OPERATION, input, ["url", "eventTypeNames", "receiver", "name", "description", "activate"]);
  const { url, name, description, activate = true } = input;
  if (url === undefined) throw refused(OPERATION, "url", "is missing");
  if (typeof activate !== "boolean") throw refused(OPERATION, "activate", "must be true or false");
  const fields = fieldsOf(OPERATION, { url, name, description, ...(activate && { status: "ACTIVE" }) });
  return { ...fields, url: fields.url as string, eventTypeNames: subscriptionsOf(input) };
}

function subscriptionsOf({ eventTypeNames, receiver }: EnsureWebhook): string[] {
  if (receiver === undefined) return namesOf(OPERATION, "eventTypeNames", eventTypeNames);
  if (eventTypeNames !== undefined)
    throw refused(OPERATION, "receiver", "cannot be given together with eventTypeNames");
  if (typeof receiver?.patterns !== "function") throw refused(OPERATION, "receiver", "must have a method patterns()");
  const patterns = receiver.patterns();
  if (patterns.length > 0) return namesOf(OPERATION, "receiver", patterns);
  throw refused(OPERATION, "receiver", "has no handlers, so there is nothing to subscribe to; call on(…) first");
}

/** The webhooks with a URL: active ones first, then the oldest. `ensure` keeps the first. */
async function webhooksAt(ask: Ask, url: string, options: CallOptions): Promise<BluumWebhook[]> {
  const found = (await listWebhooks(ask, options)).filter((webhook) => sameUrl(webhook.url, url));
  const rank = ({ status }: BluumWebhook) => (status === "INACTIVE" ? 1 : 0);
  const age = ({ createdAt }: BluumWebhook) => createdAt?.getTime() ?? 0;
  return found.sort((a, b) => rank(a) - rank(b) || age(a) - age(b));
}

function sameUrl(given: string, wanted: string): boolean {
  return URL.canParse(given) && new URL(given).href === wanted;
}

/** Creates a webhook. If it is not known whether that succeeded, looks for it instead of creating a second one. */
async function createOnce(ask: Ask, wanted: Wanted, options: CallOptions): Promise<EnsuredWebhook> {
  const { url, eventTypeNames, description, name = defaultName(url) } = wanted;
  try {
    const webhook = await createWebhook(ask, { name, url, eventTypeNames, description }, options);
    return { action: "created", changed: [], webhook, duplicates: [] };
  } catch (error) {
    if (!(error instanceof BluumApiError && error.mayHaveHappened) || options.signal?.aborted) throw error;
    const found = await webhooksAt(ask, url, options).catch(() => []);
    if (found.length === 0) throw error;
    return { ...(await align(ask, wanted, found, options)), action: "created", changed: [] };
  }
}

function defaultName(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname === "/" ? "" : pathname}`;
}

/** Changes what differs. */
async function align(
  ask: Ask,
  wanted: Wanted,
  [webhook, ...duplicates]: readonly BluumWebhook[],
  options: CallOptions,
): Promise<EnsuredWebhook> {
  if (webhook === undefined) throw new TypeError("there is no webhook to align");
  const changes = await differences(ask, wanted, webhook, options);
  const changed = Object.keys(changes) as EnsuredField[];
  if (changed.length === 0) return { action: "unchanged", changed, webhook, duplicates };
  return { action: "updated", changed, webhook: await updateWebhook(ask, webhook.id, changes, options), duplicates };
}

async function differences(ask: Ask, wanted: Wanted, webhook: BluumWebhook, options: CallOptions) {
  const { eventTypeNames, name, description, status } = wanted;
  return {
    ...(!(await isSubscribedTo(ask, eventTypeNames, webhook, options)) && { eventTypeNames }),
    ...(name !== undefined && name !== webhook.name && { name }),
    ...(description !== undefined && description !== (webhook.description ?? "") && { description }),
    ...(status === "ACTIVE" && webhook.status === "INACTIVE" && { status: "ACTIVE" as const }),
  };
}
