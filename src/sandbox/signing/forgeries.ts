import { Buffer } from "node:buffer";
import type { SignatureScheme } from "../../schemes/scheme.ts";
import { freshSecret } from "./secrets.ts";
import type { SignedMessage } from "./signed.ts";

/** How a delivery can be forged. */
export type ForgeryKind =
  | "wrong_secret"
  | "altered_body"
  | "no_signature"
  | "malformed_signature"
  | "swapped_id"
  | "captured_long_ago";

/** What the forger sends. */
export interface Forged {
  readonly headers: Readonly<Record<string, string>>;
  /** Null for the genuine body. */
  readonly body: Buffer | null;
}

interface Forgery {
  readonly title: string;
  /** Whether it makes sense under a scheme. @default true */
  readonly fits?: (scheme: SignatureScheme) => boolean;
  readonly forge: (genuine: SignedMessage) => Forged;
}

const HOUR_MS = 3_600_000;

const FORGERIES: Readonly<Record<ForgeryKind, Forgery>> = {
  wrong_secret: {
    title: "Signed with another secret",
    forge: ({ scheme, body, messageId, signed }) => {
      const secret = freshSecret(scheme);
      return { headers: scheme.sign({ secret, body, messageId, nowMs: signed.signedAtMs }), body: null };
    },
  },
  altered_body: {
    title: "Genuine signature, another amount in the body",
    forge: ({ signed, body }) => ({ headers: signed.headers, body: altered(body) }),
  },
  no_signature: {
    title: "No signature at all",
    forge: () => ({ headers: {}, body: null }),
  },
  malformed_signature: {
    title: "Signature cut short",
    forge: (genuine) => ({ headers: cutShort(genuine), body: null }),
  },
  swapped_id: {
    title: "Genuine signature under another message id",
    fits: (scheme) => idHeader(scheme) !== undefined,
    forge: ({ scheme, signed }) => {
      const header = idHeader(scheme) ?? "";
      return { headers: { ...signed.headers, [header]: "msg_forged" }, body: null };
    },
  },
  captured_long_ago: {
    title: "Captured an hour ago and sent again",
    fits: (scheme) => scheme.signsTimestamp,
    forge: ({ scheme, signed, body, messageId }) => {
      const nowMs = signed.signedAtMs - HOUR_MS;
      return { headers: scheme.sign({ secret: signed.secret, body, messageId, nowMs }), body: null };
    },
  },
};

/** The forgeries that make sense under a scheme. */
export function forgeriesOf(scheme: SignatureScheme): { readonly kind: ForgeryKind; readonly title: string }[] {
  const kinds = Object.keys(FORGERIES) as ForgeryKind[];
  return kinds
    .filter((kind) => FORGERIES[kind].fits?.(scheme) ?? true)
    .map((kind) => ({ kind, title: FORGERIES[kind].title }));
}

/** What a forgery is, in words. */
export function forgeryTitle(kind: ForgeryKind): string {
  return FORGERIES[kind].title;
}

/** Forges a delivery. */
export function forge(kind: ForgeryKind, genuine: SignedMessage): Forged {
  return FORGERIES[kind].forge(genuine);
}

/** The header with the message id, found by signing one. */
function idHeader(scheme: SignatureScheme): string | undefined {
  const messageId = "msg_probe";
  try {
    const headers = scheme.sign({ secret: freshSecret(scheme), body: Buffer.of(), messageId, nowMs: 0 });
    return Object.keys(headers).find((name) => headers[name] === messageId);
  } catch {
    // A user's own scheme, which accepts no secret that the sandbox can make.
    return undefined;
  }
}

/** The same event with a larger amount. */
function altered(body: Buffer): Buffer {
  const payload = JSON.parse(body.toString("utf8")) as { readonly data?: object };
  return Buffer.from(JSON.stringify({ ...payload, data: { ...payload.data, amount: "1000000.00" } }), "utf8");
}

/** Cuts the header values that depend on the body: those are signatures. A message id or a timestamp stays whole. */
function cutShort({ scheme, signed, body, messageId }: SignedMessage): Record<string, string> {
  const another = { secret: signed.secret, body: Buffer.concat([body, Buffer.from(" ")]), messageId };
  const others = scheme.sign({ ...another, nowMs: signed.signedAtMs });
  const cut = Object.entries(signed.headers).map(([name, value]) => {
    return [name, value === others[name] ? value : value.slice(0, -7)] as const;
  });
  return Object.fromEntries(cut);
}
