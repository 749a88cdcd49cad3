import type { CapturedDelivery } from "../../capture.ts";
import { stringLiteral } from "../../printable.ts";
import { type HeaderSource, readSource, type TimeFormat } from "../search/header-values.ts";
import type { Hypothesis } from "../search/hypothesis.ts";
import { SIGNATURE_BYTES } from "../search/signature-text.ts";
import { type Content, sourceIn, urlOf } from "../search/signed-content.ts";
import {
  type CustomScheme,
  contentFunction,
  prepareMethod,
  readMethod,
  signMethod,
  verifyMethod,
} from "./custom-scheme-methods.ts";

/** A line that says how deliveries are signed, and whether the signed id is the event's. */
export interface CustomProgramOptions {
  readonly description: string;
  readonly isEventId: boolean;
}

/**
 * A program that creates a receiver with a scheme in full, for a hypothesis that no preset covers.
 *
 * @returns undefined if the URL is signed and differs between deliveries: a scheme cannot see it
 */
export function customProgram(
  hypothesis: Hypothesis,
  deliveries: readonly [CapturedDelivery, ...CapturedDelivery[]],
  options: CustomProgramOptions,
): string | undefined {
  const { content } = hypothesis;
  const url = signedUrl(content, deliveries);
  if (url === undefined && content.some(({ kind }) => kind === "url")) return undefined;
  const scheme = customScheme(hypothesis, deliveries[0], options);
  const lines = [
    ...imports(scheme),
    "",
    ...constants(scheme, excludedFromIds(content, deliveries), url),
    "",
    ...schemeCode(scheme),
    "",
    ...contentFunction(scheme),
    "",
    ...ELEMENTS_FUNCTION,
    "",
    "export const receiver = createReceiver({",
    "  secret: process.env.BLUUM_WEBHOOK_SECRET,",
    "  scheme,",
    "});",
  ];
  return `${lines.join("\n")}\n`;
}

/** The signed URL, if it is the same in all deliveries: a scheme can only hold it as a constant. */
export function signedUrl(content: Content, deliveries: readonly CapturedDelivery[]): string | undefined {
  const part = content.find(({ kind }) => kind === "url");
  if (part?.kind !== "url") return undefined;
  const urls = new Set(deliveries.map((delivery) => urlOf(part.form, delivery)));
  return urls.size === 1 ? [...urls][0] : undefined;
}

function customScheme(hypothesis: Hypothesis, delivery: CapturedDelivery, options: CustomProgramOptions): CustomScheme {
  const { content, algorithm } = hypothesis;
  const source = sourceIn(content, "timestamp");
  const timestamp = source?.format ? { ...source, format: source.format } : undefined;
  const id = sourceIn(content, "id");
  const variables = [...(timestamp ? (["timestamp"] as const) : []), ...(id ? (["id"] as const) : [])];
  return { hypothesis, delivery, ...options, timestamp, id, variables, usesKeyPair: algorithm === "ed25519" };
}

function imports({ usesKeyPair, id }: CustomScheme): string[] {
  const names = usesKeyPair
    ? ["createPublicKey", "type KeyObject", "verify"]
    : ["createHmac", ...(id ? ["randomUUID"] : []), "timingSafeEqual"];
  return [
    'import { Buffer } from "node:buffer";',
    `import { ${names.join(", ")} } from "node:crypto";`,
    'import { createReceiver, type SignatureScheme, WebhookError } from "bluum-webhooks";',
  ];
}

function constants({ hypothesis, timestamp, id }: CustomScheme, excluded: string, url: string | undefined): string[] {
  const { prefix, suffix } = hypothesis.locator;
  const idPattern = excluded === "" ? "[!-~]{1,200}" : `(?:(?!${inPattern(excluded)})[!-~]){1,200}`;
  const lines = [`const SIGNATURE = /^${inPattern(prefix)}(${signaturePattern(hypothesis)})${inPattern(suffix)}$/;`];
  if (timestamp) {
    lines.push(`const TIMESTAMP = /^${elementPrefix(timestamp)}(${TIME_PATTERN[timestamp.format]})$/;`);
    lines.push("const TOLERANCE_MS = 5 * 60_000;");
  }
  if (id) lines.push(`const ID = /^${elementPrefix(id)}(${idPattern})$/;`);
  if (url !== undefined) {
    lines.push("// The URL that the provider signs. A receiver does not see the URL, so change this when it changes.");
    lines.push(`const URL_SIGNED = ${stringLiteral(url)};`);
  }
  return lines;
}

function schemeCode(scheme: CustomScheme): string[] {
  const { variables, usesKeyPair, description } = scheme;
  return [
    "interface Presented {",
    "  readonly signatures: readonly Buffer[];",
    ...variables.map((name) => `  readonly ${name}: string;`),
    "}",
    "",
    `const scheme: SignatureScheme<${usesKeyPair ? "KeyObject" : "Buffer"}, Presented> = {`,
    '  name: "detected",',
    `  description: ${stringLiteral(description)},`,
    `  signsTimestamp: ${variables.includes("timestamp")},`,
    "",
    ...prepareMethod(scheme),
    "",
    ...readMethod(scheme),
    "",
    ...verifyMethod(scheme),
    "",
    ...signMethod(scheme),
    "};",
  ];
}

const ELEMENTS_FUNCTION = [
  "/** The text that the pattern captures in each element of a header's list. */",
  "function elements(value: string, separator: string, pattern: RegExp): string[] {",
  "  return value.split(separator).flatMap((element) => pattern.exec(element.trim())?.[1] ?? []);",
  "}",
];

const TIME_PATTERN: Readonly<Record<TimeFormat, string>> = {
  seconds: "\\d{10}(?:\\.\\d{1,9})?",
  milliseconds: "\\d{13}",
  microseconds: "\\d{16}",
  nanoseconds: "\\d{19}",
  iso: "\\d{4}-\\d\\d-\\d\\d[Tt ][\\d:.]{8,18}(?:[Zz]|[+-]\\d\\d:?\\d\\d)",
  "http-date": "[A-Za-z]{3}, [\\w :]{17,22} GMT",
};

function signaturePattern({ algorithm, encoding }: Hypothesis): string {
  const bytes = SIGNATURE_BYTES[algorithm];
  if (encoding === "hex") return `[0-9a-fA-F]{${bytes * 2}}`;
  const padding = (3 - (bytes % 3)) % 3;
  const letters = encoding === "base64" ? "[A-Za-z0-9+/]" : "[A-Za-z0-9_-]";
  return `${letters}{${Math.ceil((bytes * 4) / 3)}}${padding === 0 ? "" : `(?:${"=".repeat(padding)})?`}`;
}

function elementPrefix({ element }: HeaderSource): string {
  return inPattern(element?.prefix ?? "");
}

/**
 * The text between an id and the next part, which no id may contain: otherwise the same signed bytes could be split into another
 * id. Empty if there is no such text, or if a captured id contains it.
 */
function excludedFromIds(content: Content, deliveries: readonly CapturedDelivery[]): string {
  const index = content.findIndex(({ kind }) => kind === "id");
  const part = content[index];
  const neighbour = content[index + 1] ?? content[index - 1];
  if (part === undefined || !("source" in part) || neighbour?.kind !== "text") return "";
  const isFree = deliveries.every((delivery) => !readSource(part.source, delivery)?.includes(neighbour.text));
  return isFree ? neighbour.text : "";
}

/** Text inside a regular expression literal. */
function inPattern(text: string): string {
  return stringLiteral(text.replace(/[/\\^$.*+?()[\]{}|-]/g, "\\$&"))
    .slice(1, -1)
    .replaceAll("\\\\", "\\")
    .replaceAll('\\"', '"');
}
