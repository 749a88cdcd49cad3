import { type CapturedDelivery, headerName } from "../../capture.ts";
import { stringLiteral } from "../../printable.ts";
import { type HeaderSource, type TimeFormat, UNIT_MS } from "../search/header-values.ts";
import type { Hypothesis } from "../search/hypothesis.ts";

/** The facts from which the code of a scheme is printed. */
export interface CustomScheme {
  readonly hypothesis: Hypothesis;
  /** One line that says how deliveries are signed. */
  readonly description: string;
  /** The delivery that gives header names their case. */
  readonly delivery: CapturedDelivery;
  /** The source of the signed timestamp, if there is one. */
  readonly timestamp: (HeaderSource & { readonly format: TimeFormat }) | undefined;
  /** The source of the signed id, if there is one. */
  readonly id: HeaderSource | undefined;
  /** The variables of the printed code that hold these two. */
  readonly variables: readonly ("timestamp" | "id")[];
  /** Whether an ed25519 key pair signs. */
  readonly usesKeyPair: boolean;
  /** Whether the signed id is the event's. */
  readonly isEventId: boolean;
}

/** The method `prepare`, which decodes a secret to a key. */
export function prepareMethod({ hypothesis: { decoding }, usesKeyPair }: CustomScheme): string[] {
  const text = decoding.cut === "" ? "secret" : `secret.slice(${stringLiteral(decoding.cut)}.length)`;
  return [
    "  prepare(secret) {",
    `    const key = Buffer.from(${text}, ${stringLiteral(decoding.decode)});`,
    ...(usesKeyPair ? PUBLIC_KEY : HMAC_KEY),
    "  },",
  ];
}

const HMAC_KEY = [
  '    if (key.length < 16) throw new WebhookError("configuration_invalid", "secret: it is too short to be a key.");',
  "    return key;",
];

const PUBLIC_KEY = [
  '    if (key.length !== 32) throw new WebhookError("configuration_invalid", "secret: an ed25519 public key has 32 bytes.");',
  "    // The DER header of a raw public key (RFC 8410, section 4).",
  '    const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key]);',
  '    return createPublicKey({ key: der, format: "der", type: "spki" });',
];

/** The method `read`, which reads the signatures, the timestamp and the id from the headers. */
export function readMethod({ hypothesis, timestamp, id, variables }: CustomScheme): string[] {
  const { locator, encoding } = hypothesis;
  const elements = `elements(value, ${stringLiteral(locator.separator)}, SIGNATURE)`;
  const isMissing = variables.map((name) => `${name} === undefined`).join(" || ");
  return [
    "  read(header) {",
    `    const value = header(${stringLiteral(locator.header)});`,
    '    if (value === undefined) return "signature_missing";',
    '    if (value.length > 8 * 1024) return "signature_malformed";',
    `    const signatures = ${elements}.map((text) => Buffer.from(text, ${stringLiteral(encoding)}));`,
    '    if (signatures.length === 0 || signatures.length > 16) return "signature_malformed";',
    ...(timestamp ? [`    const timestamp = ${readExpression(timestamp, "TIMESTAMP", locator.header)};`] : []),
    ...(id ? [`    const id = ${readExpression(id, "ID", locator.header)};`] : []),
    ...(isMissing === "" ? [] : [`    if (${isMissing}) return "signature_malformed";`]),
    `    return { ${["signatures", ...variables].join(", ")} };`,
    "  },",
  ];
}

function readExpression({ header, element }: HeaderSource, pattern: string, signatureHeader: string): string {
  const value = header === signatureHeader ? "value" : `header(${stringLiteral(header)}) ?? ""`;
  return element
    ? `elements(${value}, ${stringLiteral(element.separator)}, ${pattern})[0]`
    : `${pattern}.exec(${value})?.[1]`;
}

/** The method `verify`, which checks the timestamp's age and the signatures. */
export function verifyMethod({ timestamp, id, variables, usesKeyPair, isEventId }: CustomScheme): string[] {
  const content = [...variables, "body"].join(", ");
  const checkAge = timestamp && [
    `    const ageMs = nowMs - ${epochExpression(timestamp.format)};`,
    '    if (!(Math.abs(ageMs) <= TOLERANCE_MS)) return "timestamp_out_of_tolerance";',
  ];
  return [
    `  verify({ ${["signatures", ...variables].join(", ")} }, body, keys${timestamp ? ", nowMs" : ""}) {`,
    ...(checkAge ?? []),
    ...(usesKeyPair ? verifyKeyPair(content) : verifyMac(content)),
    ...(id && !isEventId
      ? ["    // The id is not passed on: the captures do not show that a retry carries the same one."]
      : []),
    `    return secretIndex < 0 ? "signature_mismatch" : { secretIndex${id && isEventId ? ", messageId: id" : ""} };`,
    "  },",
  ];
}

function verifyKeyPair(content: string): string[] {
  return [
    `    const content = signedContent(${content});`,
    "    const secretIndex = keys.findIndex((key) => signatures.some((signature) => verify(null, content, key, signature)));",
  ];
}

function verifyMac(content: string): string[] {
  return [
    "    const secretIndex = keys.findIndex((key) => {",
    `      const expected = mac(key, ${content});`,
    "      return signatures.some((signature) => timingSafeEqual(signature, expected));",
    "    });",
  ];
}

/** The method `sign`, which makes the headers of a delivery. */
export function signMethod(scheme: CustomScheme): string[] {
  const { hypothesis, timestamp, id, variables, usesKeyPair } = scheme;
  if (usesKeyPair) return CANNOT_SIGN;
  const fields = ["secret", "body", ...(id ? ["messageId: id = randomUUID()"] : []), ...(timestamp ? ["nowMs"] : [])];
  const signature = `mac(scheme.prepare(secret), ${[...variables, "body"].join(", ")})`;
  return [
    `  sign({ ${fields.join(", ")} }) {`,
    ...(timestamp ? [`    const timestamp = ${timestampExpression(timestamp.format)};`] : []),
    `    const signature = ${signature}.toString(${stringLiteral(hypothesis.encoding)});`,
    `    return { ${headersExpression(scheme)} };`,
    "  },",
  ];
}

const CANNOT_SIGN = [
  "  sign() {",
  '    throw new WebhookError("configuration_invalid", "only the provider has the private key that signs.");',
  "  },",
];

/** The headers with the timestamp, the id and the signature; those in one header are joined to a list. */
function headersExpression({ hypothesis: { locator }, timestamp, id, delivery }: CustomScheme): string {
  const elements: [header: string, text: string][] = [];
  if (timestamp) elements.push([timestamp.header, `${elementPrefix(timestamp)}\${timestamp}`]);
  if (id) elements.push([id.header, `${elementPrefix(id)}\${id}`]);
  elements.push([locator.header, `${inTemplate(locator.prefix)}\${signature}${inTemplate(locator.suffix)}`]);
  const headers = [...new Set(elements.map(([header]) => header))];
  const listOf = (header: string) =>
    elements
      .filter(([name]) => name === header)
      .map(([, text]) => text)
      .join(inTemplate(locator.separator));
  return headers.map((header) => `${stringLiteral(headerName(header, delivery))}: \`${listOf(header)}\``).join(", ");
}

function elementPrefix({ element }: HeaderSource): string {
  return inTemplate(element?.prefix ?? "");
}

/** The function `mac`, or `signedContent` for a key pair. */
export function contentFunction({ hypothesis, variables, usesKeyPair }: CustomScheme): string[] {
  const parameters = [...variables.map((name) => `${name}: string`), "body: Uint8Array"].join(", ");
  const { before, after } = contentTemplates(hypothesis);
  if (usesKeyPair) {
    const bytes = [...before, ...after].map((template) => `Buffer.from(${template})`);
    const parts = [...bytes.slice(0, before.length), "body", ...bytes.slice(before.length)];
    return [
      "/** The content that the provider signs. */",
      `function signedContent(${parameters}): Buffer {`,
      `  return Buffer.concat([${parts.join(", ")}]);`,
      "}",
    ];
  }
  const updates = [...before, "body", ...after].map((part) => `.update(${part})`);
  return [
    "/** The HMAC of the content that the provider signs. */",
    `function mac(key: Buffer, ${parameters}): Buffer {`,
    `  return createHmac(${stringLiteral(hypothesis.algorithm)}, key)${updates.join("")}.digest();`,
    "}",
  ];
}

/** The text before and after the body, each as a template literal; none if there is no text. */
function contentTemplates({ content }: Hypothesis): { before: string[]; after: string[] } {
  const texts = content.map((part) => {
    if (part.kind === "text") return inTemplate(part.text);
    if (part.kind === "method") return "POST";
    return `\${${part.kind === "url" ? "URL_SIGNED" : part.kind}}`;
  });
  const body = content.findIndex(({ kind }) => kind === "body");
  const template = (parts: readonly string[]) => (parts.length > 0 ? [`\`${parts.join("")}\``] : []);
  return { before: template(texts.slice(0, body)), after: template(texts.slice(body + 1)) };
}

/** The expression that converts the variable `timestamp` to epoch milliseconds. */
function epochExpression(format: TimeFormat): string {
  if (format === "iso" || format === "http-date") return "Date.parse(timestamp)";
  if (format === "milliseconds") return "Number(timestamp)";
  return `Number(timestamp) * ${format === "seconds" ? "1_000" : UNIT_MS[format]}`;
}

/** The expression that writes `nowMs` as a timestamp. */
function timestampExpression(format: TimeFormat): string {
  if (format === "iso") return "new Date(nowMs).toISOString()";
  if (format === "http-date") return "new Date(nowMs).toUTCString()";
  // Zeros are appended to whole milliseconds, since a product of so many digits would not be exact.
  if (format === "microseconds") return 'String(Math.floor(nowMs)) + "000"';
  if (format === "nanoseconds") return 'String(Math.floor(nowMs)) + "000000"';
  return format === "seconds" ? "String(Math.floor(nowMs / 1_000))" : "String(Math.floor(nowMs))";
}

/** Text inside a template literal. */
function inTemplate(text: string): string {
  return stringLiteral(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("`", "\\`").replaceAll("${", "\\${");
}
