import { randomBytes } from "node:crypto";
import type { SignatureScheme } from "../../index.ts";
import { type SignedDelivery, signDelivery } from "../../testing/index.ts";
import { CommandFailed, EXIT } from "../exit.ts";

/** A way to forge a delivery. A receiver must refuse each of them. */
export type ForgeryKind =
  | "wrong-secret"
  | "altered-body"
  | "no-signature"
  | "malformed"
  | "truncated"
  | "swapped"
  | "expired"
  | "future"
  | "old-event";

/** The event of a delivery. */
export interface EventToSign {
  /** The exact body. */
  readonly body: string;
  readonly messageId: string;
}

/** The secret and the scheme with which deliveries are signed. */
export interface Signing {
  readonly secret: string;
  readonly scheme: SignatureScheme;
}

interface Forgery {
  readonly title: string;
  readonly sign: (event: EventToSign, signing: Signing) => SignedDelivery<string>;
}

/** Exceeds the longest tolerance of any scheme, which is one day. */
const TOO_FAR_MS = 25 * 60 * 60_000;
const OTHER_BODY = '{"event":"account.created","data":{}}';
const JSON_TYPE: Readonly<Record<string, string>> = { "content-type": "application/json" };

/** The forgeries by kind. */
export const FORGERIES: Readonly<Record<ForgeryKind, Forgery>> = {
  "wrong-secret": {
    title: "signed with another secret",
    sign: (event, { secret, scheme }) => sign(event, { secret: otherSecret(secret), scheme }),
  },
  "altered-body": {
    title: "with a byte added after signing",
    sign: (event, signing) => ({ ...sign(event, signing), body: `${event.body} ` }),
  },
  "no-signature": {
    title: "without a signature",
    sign: ({ body }) => ({ method: "POST", headers: { ...JSON_TYPE }, body }),
  },
  malformed: {
    title: "with other text in place of the signature",
    sign: (event, signing) => replaceSignature(sign(event, signing)),
  },
  truncated: {
    title: "without the second half of the body",
    sign: (event, signing) => ({ ...sign(event, signing), body: event.body.slice(0, event.body.length / 2) }),
  },
  swapped: {
    title: "with the signature of another event",
    sign: (event, signing) => ({ ...sign({ ...event, body: OTHER_BODY }, signing), body: event.body }),
  },
  expired: { title: "signed a day ago", sign: (event, signing) => sign(event, signing, -TOO_FAR_MS) },
  future: { title: "signed a day in the future", sign: (event, signing) => sign(event, signing, TOO_FAR_MS) },
  "old-event": { title: "signed now, with an event from years ago", sign },
};

/** Signs a delivery of an event, or forges one. */
export function signedDelivery(
  event: EventToSign & { readonly forgery?: ForgeryKind },
  signing: Signing,
): SignedDelivery<string> {
  return event.forgery === undefined ? sign(event, signing) : FORGERIES[event.forgery].sign(event, signing);
}

/**
 * Parses the value of `--forge`: one kind, several separated by commas, or `all` that are possible with the scheme.
 *
 * @throws CommandFailed `usage`
 */
export function parseForgeries(text: string, { signsTimestamp, name }: SignatureScheme): ForgeryKind[] {
  const possible = (Object.keys(FORGERIES) as ForgeryKind[]).filter((kind) => isForgery(kind, signsTimestamp));
  if (text === "all") return possible;
  return text.split(",").map((kind) => {
    if (!Object.hasOwn(FORGERIES, kind))
      throw refused(`${JSON.stringify(kind)} is not a kind; the kinds are ${possible.join(", ")} and all`);
    if (!possible.includes(kind as ForgeryKind))
      throw refused(
        `${kind} is not a forgery with the scheme ${name}, which signs ${signsTimestamp ? "a" : "no"} timestamp`,
      );
    return kind as ForgeryKind;
  });
}

/** Whether a receiver refuses the kind: with a signed timestamp it checks that, otherwise the event's own time. */
function isForgery(kind: ForgeryKind, signsTimestamp: boolean): boolean {
  if (kind === "expired" || kind === "future") return signsTimestamp;
  return kind !== "old-event" || !signsTimestamp;
}

function sign({ body, messageId }: EventToSign, { secret, scheme }: Signing, shiftMs = 0): SignedDelivery<string> {
  return signDelivery({ secret, scheme, event: body, messageId, now: Date.now() + shiftMs }) as SignedDelivery<string>;
}

function replaceSignature(delivery: SignedDelivery<string>): SignedDelivery<string> {
  const headers = Object.keys(delivery.headers).map((name) => [name, "not a signature"]);
  return { ...delivery, headers: { ...Object.fromEntries(headers), ...JSON_TYPE } };
}

/** Another secret in the same form. Hex is valid as text, as base64 and as hex. */
function otherSecret(secret: string): string {
  const [prefix] = /^wh[a-z]+_/.exec(secret) ?? [];
  return prefix === undefined ? randomBytes(32).toString("hex") : prefix + randomBytes(32).toString("base64");
}

function refused(problem: string): CommandFailed {
  return new CommandFailed(`--forge: ${problem}.`, EXIT.usage);
}
