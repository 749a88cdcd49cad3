import type { Buffer } from "node:buffer";
import { bluumSignature } from "../../../bluum/signature.ts";
import { type HmacSignatureOptions, hmacSignature } from "../../../schemes/hmac.ts";
import type { SignatureScheme } from "../../../schemes/scheme.ts";
import { standardWebhooksSignature } from "../../../schemes/standard-webhooks.ts";
import { timestampedSignature } from "../../../schemes/timestamped.ts";
import { type Content, type Part, sourceIn } from "../search/content.ts";
import type { Captured } from "../search/delivery.ts";
import { count, type Effort } from "../search/effort.ts";
import type { Hypothesis } from "../search/hypothesis.ts";
import { correctedText } from "../search/key-reading.ts";
import { textOf } from "../search/source.ts";
import { momentOf } from "../search/time-format.ts";
import { literal } from "./code-text.ts";

/** One of the package's own schemes, and how a program names it. */
export interface Preset {
  /** The function to import. */
  readonly import: string;
  /** The call, as it stands after `scheme:`. */
  readonly call: string;
  readonly scheme: SignatureScheme;
  /** What stands before the secret or is left off it, where the scheme needs it otherwise than it was given. */
  readonly secretChange?: { readonly add: string } | { readonly cut: string };
}

/** The package's own scheme that says the same as a hypothesis, proven on every capture. */
export function presetFor(
  hypothesis: Hypothesis,
  captures: readonly Captured[],
  secrets: readonly string[],
  effort: Effort,
): Preset | undefined {
  const name = captures[0]?.headers.get(hypothesis.locator.header)?.name ?? hypothesis.locator.header;
  return presetsLike(hypothesis, name).find((preset) => isProven(preset, hypothesis, captures, secrets, effort));
}

/** When a delivery says that it was signed, epoch milliseconds; else when it was received. */
function signedAt(content: Content, captured: Captured): number {
  const source = sourceIn(content, "timestamp");
  const text = source && textOf(source, captured);
  return source?.format && text ? momentOf(text, source.format) : captured.receivedAtMs;
}

/** What a content is in one line, whatever it reads its parts from. */
function shapeOf(content: Content): string {
  const shape = (part: Part): string => (part.kind === "text" ? part.text : `<${part.kind}>`);
  return content.map(shape).join("");
}

function presetsLike(hypothesis: Hypothesis, header: string): Preset[] {
  const shape = shapeOf(hypothesis.content);
  if (shape === "<body>") return [...plainBluum(hypothesis), ...plain(hypothesis, header)];
  if (shape === "<timestamp>.<body>") return timestamped(hypothesis, header);
  if (shape === "<id>.<timestamp>.<body>") return standardWebhooks(hypothesis);
  return [];
}

function plainBluum({ locator, algorithm, encoding, reading }: Hypothesis): Preset[] {
  const is = locator.header === "x-bluum-signature" && algorithm === "sha256" && encoding === "hex";
  if (!is || reading.decode !== "utf8") return [];
  return [{ import: "bluumSignature", call: "bluumSignature()", scheme: bluumSignature(), ...cut(reading.cut) }];
}

function plain({ locator, algorithm, encoding, reading }: Hypothesis, header: string): Preset[] {
  if (algorithm === "sha384" || algorithm === "ed25519" || locator.separator !== "," || locator.suffix !== "")
    return [];
  const options: HmacSignatureOptions = {
    header,
    ...(algorithm !== "sha256" && { algorithm }),
    ...(encoding !== "hex" && { encoding }),
    ...(locator.prefix !== "" && { prefix: locator.prefix }),
    // Whether base64 reads what was written in base64url, the proof shows.
    ...(reading.decode !== "utf8" && { secretEncoding: reading.decode === "hex" ? "hex" : "base64" }),
  };
  const listed = Object.entries(options).map(([name, value]) => `${name}: ${literal(value)}`);
  const scheme = made(() => hmacSignature(options));
  const call = `hmacSignature({ ${listed.join(", ")} })`;
  return scheme ? [{ import: "hmacSignature", call, scheme, ...cut(reading.cut) }] : [];
}

function timestamped({ locator, algorithm, encoding, reading }: Hypothesis, header: string): Preset[] {
  if (algorithm !== "sha256" || encoding !== "hex" || reading.decode !== "utf8" || locator.prefix !== "v1=") return [];
  const call = `timestampedSignature({ header: ${literal(header)} })`;
  return [{ import: "timestampedSignature", call, scheme: timestampedSignature({ header }), ...cut(reading.cut) }];
}

function standardWebhooks({ locator, encoding, reading }: Hypothesis): Preset[] {
  if (!/^(webhook|svix)-signature$/.test(locator.header) || encoding !== "base64") return [];
  if (reading.decode !== "base64" && reading.decode !== "base64url") return [];
  const name = "standardWebhooksSignature";
  const mark = reading.for === "ed25519" ? "whpk_" : "whsec_";
  const change = reading.cut === mark ? {} : { secretChange: { add: mark } };
  return [{ import: name, call: `${name}()`, scheme: standardWebhooksSignature(), ...change }];
}

function cut(text: string): Pick<Preset, "secretChange"> {
  return text === "" ? {} : { secretChange: { cut: text } };
}

/** Whether the scheme itself takes every capture, as a receiver would ask it. */
function isProven(
  preset: Preset,
  { content, reading }: Hypothesis,
  captures: readonly Captured[],
  secrets: readonly string[],
  effort: Effort,
): boolean {
  const keys = secrets.flatMap((secret) => {
    const key = made(() => preset.scheme.prepare(changed(correctedText(secret, reading.mistakes), preset)));
    return key === undefined ? [] : [key];
  });
  return captures.every((captured) => {
    count(effort, captured.body.byteLength);
    const presented = preset.scheme.read((name) => captured.headers.get(name.toLowerCase())?.value);
    if (typeof presented === "string") return false;
    const verified = preset.scheme.verify(presented, captured.body as Buffer, keys, signedAt(content, captured));
    return typeof verified !== "string";
  });
}

function changed(secret: string, { secretChange }: Preset): string {
  if (secretChange === undefined) return secret;
  return "add" in secretChange ? secretChange.add + secret : secret.slice(secretChange.cut.length);
}

/** What a preset refuses, by throwing, it cannot say. */
function made<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
