import { Buffer } from "node:buffer";
import type { SignatureScheme } from "../../schemes/scheme.ts";
import { timestampOf } from "../../schemes/timestamp.ts";
import type { SignatureExplanation } from "../page-api.ts";
import { keyBytes, prefixOf, type SignatureForm, signatureForm } from "./form.ts";
import { signatureProgram } from "./program.ts";
import type { SignedMessage } from "./signed.ts";

/** The message of one attempt, with the bytes that were sent. */
export interface Explained extends SignedMessage {
  /** How it was forged, in words; null for a genuine one. */
  readonly forgery: string | null;
}

type Step = SignatureExplanation["steps"][number];

/** More of a text is not shown in a step. */
const SHOWN_CHARACTERS = 2_000;

/**
 * Explains how an attempt was signed, step by step, or how it should have been. The secret is shown: the sandbox has made it
 * up, and a wrong one is what people look for.
 */
export function explain(explained: Explained): SignatureExplanation {
  const { scheme, forgery } = explained;
  try {
    return explainSigned(explained);
  } catch (error) {
    const steps = [ownScheme(scheme), unsigned(error)];
    return { scheme: scheme.name, steps, program: ownProgram(scheme), genuine: forgery === null };
  }
}

function explainSigned(explained: Explained): SignatureExplanation {
  const { scheme, signed, body, messageId, forgery } = explained;
  const form = signatureForm(scheme, signed.secret);
  const genuine = scheme.sign({ secret: signed.secret, body, messageId, nowMs: signed.signedAtMs });
  const steps = form === undefined ? [ownScheme(scheme)] : stepsOf(form, explained, genuine[form.header] ?? "");
  return {
    scheme: scheme.name,
    steps: [...steps, forgery === null ? verdict(genuine) : forged(forgery, signed.headers, genuine)],
    program: form === undefined ? ownProgram(scheme) : signatureProgram(form, explained),
    genuine: forgery === null,
  };
}

function stepsOf(form: SignatureForm, explained: Explained, value: string): Step[] {
  return [
    contentStep(form, explained),
    keyStep(form, explained),
    digestStep(form, explained, value),
    headerStep(form, value),
  ];
}

const CONTENT_TEXTS: Readonly<Record<SignatureForm["content"], string>> = {
  body: "The raw body, byte for byte as it came, and nothing else. Parsed and printed again it is another text.",
  "timestamp.body":
    "The time of signing in Unix seconds, a full stop, and the raw body, byte for byte as it came. Parsed and printed again it is another text.",
  "id.timestamp.body":
    "The message id, a full stop, the time of signing in Unix seconds, a full stop, and the raw body, byte for byte as it came. Parsed and printed again it is another text.",
};

function contentStep({ content }: SignatureForm, { body, messageId, signed }: Explained): Step {
  const prefix = prefixOf(content, messageId, timestampOf(signed.signedAtMs));
  const text = `${CONTENT_TEXTS[content]} Here ${Buffer.byteLength(prefix) + body.byteLength} bytes.`;
  return { title: "What is signed", text, code: shortened(prefix + body.toString("utf8")) };
}

const KEY_TEXTS: Readonly<Record<SignatureForm["key"], string>> = {
  utf8: "The secret's own characters are the key, a prefix such as whsec_ included; nothing is decoded.",
  base64: "The secret is base64; decoded, it is the key.",
  hex: "The secret is hex; decoded, it is the key.",
  whsec: "What follows whsec_ in the secret is base64; decoded, it is the key.",
  whsk: "What follows whsk_ in the secret is base64; decoded, its first 32 bytes are the private key.",
};

function keyStep({ key }: SignatureForm, { signed }: Explained): Step {
  const bytes = keyBytes(signed.secret, key)?.byteLength ?? 0;
  return { title: "The key", text: `${KEY_TEXTS[key]} It has ${bytes} bytes.`, code: signed.secret };
}

function digestStep({ algorithm, encoding, before }: SignatureForm, { signed }: Explained, value: string): Step {
  const name = algorithm === "ed25519" ? "The ed25519 signature" : `The HMAC-${algorithm.toUpperCase()}`;
  const code = value.slice(before.join(timestampOf(signed.signedAtMs)).length);
  return { title: "The signature", text: `${name} of that under the key, written in ${encoding}.`, code };
}

function headerStep({ header }: SignatureForm, value: string): Step {
  return { title: "The header", text: "So the genuine delivery carries:", code: `${header}: ${value}` };
}

function verdict(headers: Readonly<Record<string, string>>): Step {
  return {
    title: "What your endpoint does",
    text: "It computes the same from the body that came and its own secret, and compares in constant time. If your value differs, compare the steps above with yours, the secret first, then the bytes.",
    code: listed(headers),
  };
}

function forged(
  title: string,
  sent: Readonly<Record<string, string>>,
  genuine: Readonly<Record<string, string>>,
): Step {
  return {
    title: "What was sent instead",
    text: `This delivery is forged: ${lowerFirst(title)}. A genuine one with this body would carry ${listed(genuine).replaceAll("\n", ", ")}. Your endpoint must refuse it with 401.`,
    code: listed(sent) || "(no signature header)",
  };
}

function ownScheme({ name, description }: SignatureScheme): Step {
  return {
    title: "What is signed",
    text: `${name} is a scheme of your own, and of no form that can be taken apart here. It says of itself:`,
    code: description,
  };
}

function unsigned(error: unknown): Step {
  const code = error instanceof Error ? error.message : String(error);
  return { title: "Why there is no signature", text: "Its sign() has thrown:", code };
}

function ownProgram({ name }: SignatureScheme): string {
  return `// ${name} is a scheme of your own: its sign() makes the headers.\n`;
}

function listed(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
}

function shortened(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
