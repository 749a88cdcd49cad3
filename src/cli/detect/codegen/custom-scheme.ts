import { sourceIn } from "../search/content.ts";
import { SIGNATURE_BYTES } from "../search/digest.ts";
import type { Hypothesis } from "../search/hypothesis.ts";
import type { Source } from "../search/source.ts";
import { inPattern, literal } from "./code-text.ts";
import { contentCode } from "./custom-content.ts";
import { prepareCode, readCode, signCode, verifyCode } from "./custom-methods.ts";
import type { CustomScheme, Sketch } from "./custom-sketch.ts";
import { TIME_PATTERN } from "./custom-time.ts";

/** A whole scheme as TypeScript: the imports that it needs, and the constant `scheme`. */
export function customScheme(custom: CustomScheme): { readonly imports: string[]; readonly code: string } {
  const sketch = sketchOf(custom);
  const { names, hasKeyPair, description } = sketch;
  const code = [
    ...constants(sketch),
    "",
    "interface Presented {",
    "  readonly signatures: readonly Buffer[];",
    ...names.map((name) => `  readonly ${name}: string;`),
    "}",
    "",
    `const scheme: SignatureScheme<${hasKeyPair ? "KeyObject" : "Buffer"}, Presented> = {`,
    '  name: "detected",',
    `  description: ${literal(description)},`,
    `  signsTimestamp: ${names.includes("timestamp")},`,
    ...[prepareCode, readCode, verifyCode, signCode].flatMap((method) => ["", ...method(sketch)]),
    "};",
    "",
    ...contentCode(sketch),
    "",
    ...ELEMENTS,
  ];
  return { imports: imports(sketch), code: code.join("\n") };
}

function sketchOf(custom: CustomScheme): Sketch {
  const { content, algorithm } = custom.hypothesis;
  const timed = sourceIn(content, "timestamp");
  const timestamp = timed?.format ? { ...timed, format: timed.format } : undefined;
  const id = sourceIn(content, "id");
  const names = [...(timestamp ? (["timestamp"] as const) : []), ...(id ? (["id"] as const) : [])];
  return { ...custom, timestamp, id, names, hasKeyPair: algorithm === "ed25519" };
}

function imports({ hasKeyPair, id }: Sketch): string[] {
  const names = hasKeyPair
    ? ["createPublicKey", "type KeyObject", "verify"]
    : ["createHmac", ...(id ? ["randomUUID"] : []), "timingSafeEqual"];
  return [
    'import { Buffer } from "node:buffer";',
    `import { ${names.join(", ")} } from "node:crypto";`,
    'import { createReceiver, type SignatureScheme, WebhookError } from "bluum-webhooks";',
  ];
}

function constants({ hypothesis, url, notInIds, timestamp, id }: Sketch): string[] {
  const { prefix, suffix } = hypothesis.locator;
  const idPattern = notInIds === "" ? "[!-~]{1,200}" : `(?:(?!${inPattern(notInIds)})[!-~]){1,200}`;
  const lines = [`const SIGNATURE = /^${inPattern(prefix)}(${digestPattern(hypothesis)})${inPattern(suffix)}$/;`];
  if (timestamp) {
    lines.push(`const TIMESTAMP = /^${elementPrefix(timestamp)}(${TIME_PATTERN[timestamp.format]})$/;`);
    lines.push("const TOLERANCE_MS = 5 * 60_000;");
  }
  if (id) lines.push(`const ID = /^${elementPrefix(id)}(${idPattern})$/;`);
  if (url !== undefined) {
    lines.push("// The URL as the provider signs it. A receiver does not see it; keep it up to date.");
    lines.push(`const URL_SIGNED = ${literal(url)};`);
  }
  return lines;
}

const ELEMENTS = [
  "/** What the pattern takes out of the elements of a header's list. */",
  "function elements(value: string, separator: string, pattern: RegExp): string[] {",
  "  return value.split(separator).flatMap((element) => pattern.exec(element.trim())?.[1] ?? []);",
  "}",
];

function elementPrefix({ element }: Source): string {
  return inPattern(element?.prefix ?? "");
}

function digestPattern({ algorithm, encoding }: Hypothesis): string {
  const bytes = SIGNATURE_BYTES[algorithm];
  if (encoding === "hex") return `[0-9a-fA-F]{${bytes * 2}}`;
  const padding = (3 - (bytes % 3)) % 3;
  const letters = encoding === "base64" ? "[A-Za-z0-9+/]" : "[A-Za-z0-9_-]";
  const pads = padding === 0 ? "" : `(?:${"=".repeat(padding)})?`;
  return `${letters}{${Math.ceil((bytes * 4) / 3)}}${pads}`;
}
