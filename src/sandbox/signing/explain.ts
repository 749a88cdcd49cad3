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

/** A longer text is cut in a step. */
const SHOWN_CHARACTERS = 2_000;

/**
 * Explains step by step how an attempt was signed, or should have been. The secret is shown: it is a test secret of the sandbox, and a
 * wrong secret is the most common mistake.
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
  body: "The raw body, byte for byte as received, and nothing else. Parsing it and printing it again gives other bytes.",
  "timestamp.body":
    "The time of signing in Unix seconds, a full stop, and the raw body, byte for byte as received. Parsing it and printing it again gives other bytes.",
  "id.timestamp.body":
    "The message id, a full stop, the time of signing in Unix seconds, a full stop, and the raw body, byte for byte as received. Parsing it and printing it again gives other bytes.",
};

function contentStep({ content }: SignatureForm, { body, messageId, signed }: Explained): Step {
  const prefix = prefixOf(content, messageId, timestampOf(signed.signedAtMs));
  const text = `${CONTENT_TEXTS[content]} Here ${Buffer.byteLength(prefix) + body.byteLength} bytes.`;
  return { title: "What is signed", text, code: shortened(prefix + body.toString("utf8")) };
}

const KEY_TEXTS: Readonly<Record<SignatureForm["key"], string>> = {
  utf8: "The characters of the secret are the key, including a prefix such as whsec_. Nothing is decoded.",
  base64: "The key is the secret, decoded from base64.",
  hex: "The key is the secret, decoded from hex.",
  whsec: "The key is the part of the secret after whsec_, decoded from base64.",
  whsk: "The private key is the first 32 bytes of the part after whsk_, decoded from base64.",
};

function keyStep({ key }: SignatureForm, { signed }: Explained): Step {
  const bytes = keyBytes(signed.secret, key)?.byteLength ?? 0;
  return { title: "The key", text: `${KEY_TEXTS[key]} It has ${bytes} bytes.`, code: signed.secret };
}

function digestStep({ algorithm, encoding, before }: SignatureForm, { signed }: Explained, value: string): Step {
  const name = algorithm === "ed25519" ? "The ed25519 signature" : `The HMAC-${algorithm.toUpperCase()}`;
  const code = value.slice(before.join(timestampOf(signed.signedAtMs)).length);
  return { title: "The signature", text: `${name} of that content with that key, encoded as ${encoding}.`, code };
}

function headerStep({ header }: SignatureForm, value: string): Step {
  return { title: "The header", text: "A genuine delivery has this header:", code: `${header}: ${value}` };
}

function verdict(headers: Readonly<Record<string, string>>): Step {
  return {
    title: "What your endpoint does",
    text: "It computes the same value from the received body and its own secret, and compares the two in constant time. If your value differs, compare your steps with those above: first the secret, then the bytes.",
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
    text: `This delivery is forged: ${lowerFirst(title)}. A genuine one with this body would have ${listed(genuine).replaceAll("\n", ", ")}. Your endpoint must refuse it with 401.`,
    code: listed(sent) || "(no signature header)",
  };
}

function ownScheme({ name, description }: SignatureScheme): Step {
  return {
    title: "What is signed",
    text: `${name} is a scheme of your own whose form the sandbox does not know. Its description:`,
    code: description,
  };
}

function unsigned(error: unknown): Step {
  const code = error instanceof Error ? error.message : String(error);
  return { title: "Why there is no signature", text: "Its sign() threw:", code };
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
