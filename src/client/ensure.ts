import type { Ask, CallOptions } from "./api.ts";
import { BluumApiError, refused } from "./errors.ts";
import { checkFields, type Fields, fieldsOf, namesOf } from "./input.ts";
import { isSubscribedTo } from "./subscriptions.ts";
import type { BluumWebhook } from "./webhook.ts";
import { createWebhook, listWebhooks, updateWebhook } from "./webhooks.ts";

/** Something that knows what to subscribe to, such as a receiver. */
export interface HasPatterns {
  patterns(): readonly string[];
}

/** The webhook that should be there. */
export type EnsureWebhook = {
  /** Where deliveries go: by it the webhook is recognised. */
  readonly url: string | URL;
  /**
   * What people call it.
   * @default for a new webhook its host and path; an existing one keeps its name
   */
  readonly name?: string | undefined;
  /** An existing webhook keeps its own where this is missing. */
  readonly description?: string | undefined;
  /**
   * Whether an `INACTIVE` webhook is made `ACTIVE` again. Give `false` where people switch it off on purpose.
   * @default true
   */
  readonly activate?: boolean | undefined;
} & (
  | {
      /** What to subscribe to, exactly: names of events and wildcards. */
      readonly eventTypeNames: readonly string[];
      readonly receiver?: never;
    }
  | {
      /** Subscribes exactly to its `patterns()`. */
      readonly receiver: HasPatterns;
      readonly eventTypeNames?: never;
    }
);

/** What `ensure` may have had to change. */
export type EnsuredField = "eventTypeNames" | "name" | "description" | "status";

/** What `ensure` found and did. */
export interface EnsuredWebhook {
  readonly action: "created" | "updated" | "unchanged";
  /** What differed and was changed; empty unless `action` is `updated`. */
  readonly changed: readonly EnsuredField[];
  /**
   * The webhook as it is now. A new one has its `secret`, if Bluum sends it; but where the answer to the creation was lost and
   * the webhook was found by looking, nobody has seen the secret.
   */
  readonly webhook: BluumWebhook;
  /** Other webhooks of the same URL. They are left alone; each of them makes Bluum deliver once more. */
  readonly duplicates: readonly BluumWebhook[];
}

const OPERATION = "webhooks.ensure";

/** Makes sure that there is a webhook of this URL with these subscriptions. */
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
  if (eventTypeNames !== undefined) throw refused(OPERATION, "receiver", "cannot be given beside eventTypeNames");
  if (typeof receiver?.patterns !== "function") throw refused(OPERATION, "receiver", "must have patterns()");
  const patterns = receiver.patterns();
  if (patterns.length > 0) return namesOf(OPERATION, "receiver", patterns);
  throw refused(OPERATION, "receiver", "has no handler, so there is nothing to subscribe to; call on(…) before");
}

/** Those of a URL, the one to keep first: an active one before others, then the oldest. */
async function webhooksAt(ask: Ask, url: string, options: CallOptions): Promise<BluumWebhook[]> {
  const found = (await listWebhooks(ask, options)).filter((webhook) => sameUrl(webhook.url, url));
  const rank = ({ status }: BluumWebhook) => (status === "INACTIVE" ? 1 : 0);
  const age = ({ createdAt }: BluumWebhook) => createdAt?.getTime() ?? 0;
  return found.sort((a, b) => rank(a) - rank(b) || age(a) - age(b));
}

function sameUrl(given: string, wanted: string): boolean {
  return URL.canParse(given) && new URL(given).href === wanted;
}

/** Creates it. If nobody can tell whether that happened, looks again rather than creating a second one. */
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
