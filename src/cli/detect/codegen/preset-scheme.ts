import { bluumSignature, SIGNATURE_HEADER } from "../../../bluum/signature.ts";
import { type HmacSignatureOptions, hmacSignature } from "../../../schemes/hmac.ts";
import type { SignatureScheme } from "../../../schemes/scheme.ts";
import { standardWebhooksSignature } from "../../../schemes/standard-webhooks.ts";
import { timestampedSignature } from "../../../schemes/timestamped.ts";
import { type CapturedDelivery, headerName } from "../../capture.ts";
import { stringLiteral } from "../../printable.ts";
import { epochMs, readSource } from "../search/header-values.ts";
import type { Hypothesis } from "../search/hypothesis.ts";
import { correctedSecret } from "../search/keys.ts";
import { countMac, type Effort } from "../search/mac.ts";
import { type Content, type Part, sourceIn } from "../search/signed-content.ts";

/** One of the package's own schemes, and the code for it. */
export interface Preset {
  /** The function to import. */
  readonly import: string;
  /** The call that makes the scheme. */
  readonly call: string;
  readonly scheme: SignatureScheme;
  /** The prefix to add to the secret, or to cut off it, if the scheme needs it in another form. */
  readonly secretChange?: { readonly add: string } | { readonly cut: string };
}

/** The package's own scheme that is equivalent to a hypothesis. It has verified every delivery. */
export function presetFor(
  hypothesis: Hypothesis,
  deliveries: readonly CapturedDelivery[],
  secrets: readonly string[],
  effort: Effort,
): Preset | undefined {
  const [first] = deliveries;
  if (first === undefined) return undefined;
  const presets = presetsLike(hypothesis, headerName(hypothesis.locator.header, first));
  return presets.find((preset) => verifiesAll(preset, hypothesis, deliveries, secrets, effort));
}

/** A program that creates a receiver with a preset. */
export function presetProgram({ import: name, call, secretChange }: Preset): string {
  return `import { ${["createReceiver", name].sort().join(", ")} } from "bluum-webhooks";

export const receiver = createReceiver({
  secret: ${secretExpression(secretChange)},
  scheme: ${call},
});
`;
}

function secretExpression(change: Preset["secretChange"]): string {
  const secret = "process.env.BLUUM_WEBHOOK_SECRET";
  if (change === undefined) return secret;
  return "add" in change ? `\`${change.add}\${${secret}}\`` : `${secret}?.slice(${stringLiteral(change.cut)}.length)`;
}

function presetsLike(hypothesis: Hypothesis, header: string): Preset[] {
  const shape = shapeOf(hypothesis.content);
  if (shape === "<body>") return [...bluumPreset(hypothesis), ...hmacPreset(hypothesis, header)];
  if (shape === "<timestamp>.<body>") return timestampedPreset(hypothesis, header);
  if (shape === "<id>.<timestamp>.<body>") return standardWebhooksPreset(hypothesis);
  return [];
}

/** A content as text, without the sources of its parts. */
function shapeOf(content: Content): string {
  const shape = (part: Part): string => (part.kind === "text" ? part.text : `<${part.kind}>`);
  return content.map(shape).join("");
}

/** Checks only the header: whether the rest is Bluum's too, its scheme finds out by verifying the deliveries. */
function bluumPreset({ locator, decoding }: Hypothesis): Preset[] {
  if (locator.header !== SIGNATURE_HEADER.toLowerCase()) return [];
  return [{ import: "bluumSignature", call: "bluumSignature()", scheme: bluumSignature(), ...cutPrefix(decoding.cut) }];
}

function hmacPreset({ locator, algorithm, encoding, decoding }: Hypothesis, header: string): Preset[] {
  if (algorithm === "sha384" || algorithm === "ed25519" || locator.separator !== "," || locator.suffix !== "")
    return [];
  const options: HmacSignatureOptions = {
    header,
    ...(algorithm !== "sha256" && { algorithm }),
    ...(encoding !== "hex" && { encoding }),
    ...(locator.prefix !== "" && { prefix: locator.prefix }),
    // A secret in base64url may be one that base64 cannot decode; verifying the deliveries shows it.
    ...(decoding.decode !== "utf8" && { secretEncoding: decoding.decode === "hex" ? "hex" : "base64" }),
  };
  const listed = Object.entries(options).map(([name, value]) => `${name}: ${stringLiteral(value)}`);
  const scheme = resultOf(() => hmacSignature(options));
  const call = `hmacSignature({ ${listed.join(", ")} })`;
  return scheme ? [{ import: "hmacSignature", call, scheme, ...cutPrefix(decoding.cut) }] : [];
}

function timestampedPreset({ locator, algorithm, encoding, decoding }: Hypothesis, header: string): Preset[] {
  if (algorithm !== "sha256" || encoding !== "hex" || decoding.decode !== "utf8" || locator.prefix !== "v1=") return [];
  const call = `timestampedSignature({ header: ${stringLiteral(header)} })`;
  return [
    { import: "timestampedSignature", call, scheme: timestampedSignature({ header }), ...cutPrefix(decoding.cut) },
  ];
}

function standardWebhooksPreset({ locator, encoding, decoding }: Hypothesis): Preset[] {
  if (!/^(webhook|svix)-signature$/.test(locator.header) || encoding !== "base64") return [];
  if (decoding.decode !== "base64" && decoding.decode !== "base64url") return [];
  const name = "standardWebhooksSignature";
  const prefix = decoding.for === "ed25519" ? "whpk_" : "whsec_";
  const change = decoding.cut === prefix ? {} : { secretChange: { add: prefix } };
  return [{ import: name, call: `${name}()`, scheme: standardWebhooksSignature(), ...change }];
}

function cutPrefix(prefix: string): Pick<Preset, "secretChange"> {
  return prefix === "" ? {} : { secretChange: { cut: prefix } };
}

/** Whether the scheme itself verifies every delivery. */
function verifiesAll(
  preset: Preset,
  { content, decoding }: Hypothesis,
  deliveries: readonly CapturedDelivery[],
  secrets: readonly string[],
  effort: Effort,
): boolean {
  const keys = secrets.flatMap((secret) => {
    const text = changedSecret(correctedSecret(secret, decoding.mistakes), preset);
    const key = resultOf(() => preset.scheme.prepare(text));
    return key === undefined ? [] : [key];
  });
  return deliveries.every((delivery) => {
    countMac(effort, delivery.body.byteLength);
    const presented = preset.scheme.read((name) => delivery.headers.get(name.toLowerCase())?.value);
    if (typeof presented === "string") return false;
    return typeof preset.scheme.verify(presented, delivery.body, keys, signedAtMs(content, delivery)) !== "string";
  });
}

/** The delivery's signed timestamp as epoch milliseconds; without one, the time at which it was received. */
function signedAtMs(content: Content, delivery: CapturedDelivery): number {
  const source = sourceIn(content, "timestamp");
  const text = source && readSource(source, delivery);
  return source?.format && text ? epochMs(text, source.format) : delivery.receivedAtMs;
}

function changedSecret(secret: string, { secretChange }: Preset): string {
  if (secretChange === undefined) return secret;
  return "add" in secretChange ? secretChange.add + secret : secret.slice(secretChange.cut.length);
}

/** The function's result; undefined if it throws: a scheme refuses options and secrets that it cannot use. */
function resultOf<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
