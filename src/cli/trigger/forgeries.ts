import { randomBytes } from "node:crypto";
import type { SignatureScheme } from "../../index.ts";
import { type SignedDelivery, signDelivery } from "../../testing/index.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { PlannedEvent } from "./plan.ts";

/** What a forger may try: each must be refused. */
export type ForgeKind =
  | "wrong-secret"
  | "altered-body"
  | "no-signature"
  | "malformed"
  | "truncated"
  | "swapped"
  | "expired"
  | "future"
  | "old-event";

/** How to sign. */
export interface Signing {
  readonly secret: string;
  readonly scheme: SignatureScheme;
}

const HOUR_MS = 60 * 60_000;
/** Beyond the widest tolerance that a scheme takes, one day. */
const TOO_FAR_MS = 25 * HOUR_MS;

/** Each way to forge an event. */
export const FORGERIES: Readonly<Record<ForgeKind, { readonly title: string; readonly make: Make }>> = {
  "wrong-secret": {
    title: "signed with another secret",
    make: (event, { secret, scheme }) => sign(event, { secret: another(secret), scheme }),
  },
  "altered-body": {
    title: "a byte added after it was signed",
    make: (event, signing) => ({ ...sign(event, signing), body: `${event.body} ` }),
  },
  "no-signature": {
    title: "without a signature",
    make: ({ body }) => ({ method: "POST", headers: { ...JSON_TYPE }, body }),
  },
  malformed: {
    title: "with words in place of the signature",
    make: (event, signing) => {
      const delivery = sign(event, signing);
      const names = Object.keys(delivery.headers).filter((name) => !Object.hasOwn(JSON_TYPE, name));
      return {
        ...delivery,
        headers: { ...JSON_TYPE, ...Object.fromEntries(names.map((name) => [name, "not a signature"])) },
      };
    },
  },
  truncated: {
    title: "with the second half of its body cut off",
    make: (event, signing) => ({ ...sign(event, signing), body: event.body.slice(0, event.body.length / 2) }),
  },
  swapped: {
    title: "with the signature of another event",
    make: (event, signing) => ({ ...sign({ ...event, body: ANOTHER_BODY }, signing), body: event.body }),
  },
  expired: { title: "signed a day ago", make: (event, signing) => sign(event, signing, -TOO_FAR_MS) },
  future: { title: "signed for tomorrow", make: (event, signing) => sign(event, signing, TOO_FAR_MS) },
  "old-event": { title: "signed now, of an event years ago", make: sign },
};

type Make = (event: PlannedEvent, signing: Signing, shiftMs?: number) => SignedDelivery<string>;

const ANOTHER_BODY = '{"event":"account.created","data":{}}';
const JSON_TYPE: Readonly<Record<string, string>> = { "content-type": "application/json" };

/** A delivery of an event, genuine or forged as the event says. */
export function deliver(event: PlannedEvent, signing: Signing): SignedDelivery<string> {
  return event.forgery === undefined ? sign(event, signing) : FORGERIES[event.forgery].make(event, signing);
}

/**
 * The kinds that a text names: one, several with commas between them, or `all` that the scheme allows for.
 *
 * @throws CommandFailed `usage`
 */
export function forgeriesOf(text: string, { signsTimestamp, name }: SignatureScheme): ForgeKind[] {
  const possible = (Object.keys(FORGERIES) as ForgeKind[]).filter((kind) => isForgery(kind, signsTimestamp));
  if (text === "all") return possible;
  return text.split(",").map((kind) => {
    if (!Object.hasOwn(FORGERIES, kind))
      throw refused(`${JSON.stringify(kind)} is no kind; there are ${possible.join(", ")} and all`);
    if (!possible.includes(kind as ForgeKind))
      throw refused(
        `${kind} is no forgery under the scheme ${name}, which signs ${signsTimestamp ? "a" : "no"} timestamp`,
      );
    return kind as ForgeKind;
  });
}

/** A time that the signature covers is refused when it is far off; where it covers none, the event's own is. */
function isForgery(kind: ForgeKind, signsTimestamp: boolean): boolean {
  if (kind === "expired" || kind === "future") return signsTimestamp;
  return kind !== "old-event" || !signsTimestamp;
}

function sign({ body, messageId }: PlannedEvent, { secret, scheme }: Signing, shiftMs = 0): SignedDelivery<string> {
  return signDelivery({ secret, scheme, event: body, messageId, now: Date.now() + shiftMs }) as SignedDelivery<string>;
}

/** Another secret of the same form. Hex is text, base64 and hex, whatever the scheme takes the secret for. */
function another(secret: string): string {
  const [prefix] = /^wh[a-z]+_/.exec(secret) ?? [];
  return prefix === undefined ? randomBytes(32).toString("hex") : prefix + randomBytes(32).toString("base64");
}

function refused(problem: string): CommandFailed {
  return new CommandFailed(`--forge: ${problem}.`, EXIT.usage);
}
