import { inPattern, inTemplate, literal } from "./code-text.ts";
import { sourceIn } from "./content.ts";
import { SIGNATURE_BYTES } from "./digest.ts";
import type { Hypothesis } from "./hypothesis.ts";
import type { Source } from "./source.ts";
import { MS_EACH, type TimeFormat } from "./time-format.ts";

/** What a printed scheme is made of. */
export interface CustomScheme {
  readonly hypothesis: Hypothesis;
  /** One line that says what the provider sends. */
  readonly description: string;
  /** The header's name as it was sent, by its lower-case name. */
  nameOf(header: string): string;
  /** The URL that is signed, where one is; a receiver does not see it. */
  readonly url: string | undefined;
  /** Characters that never stand in an id, so that what is signed can be taken apart in one way only. */
  readonly notInIds: string;
  /** Whether the signed id is the event's. */
  readonly idIsEvents: boolean;
}

/** A whole scheme as TypeScript: the imports that it needs, and the constant `scheme`. */
export function customScheme(custom: CustomScheme): { readonly imports: string[]; readonly code: string } {
  const { hypothesis } = custom;
  const ed25519 = hypothesis.algorithm === "ed25519";
  const timestamp = sourceIn(hypothesis.content, "timestamp");
  const id = sourceIn(hypothesis.content, "id");
  const makesIds = id !== undefined && !ed25519;
  const crypto = ed25519
    ? ["createPublicKey", "type KeyObject", "verify"]
    : ["createHmac", ...(makesIds ? ["randomUUID"] : []), "timingSafeEqual"];
  return {
    imports: [
      'import { Buffer } from "node:buffer";',
      `import { ${crypto.join(", ")} } from "node:crypto";`,
      'import { createReceiver, type SignatureScheme, WebhookError } from "bluum-webhooks";',
    ],
    code: [
      ...constants(custom, timestamp, id),
      "",
      "interface Presented {",
      "  readonly signatures: readonly Buffer[];",
      ...(timestamp ? ["  readonly timestamp: string;"] : []),
      ...(id ? ["  readonly id: string;"] : []),
      "}",
      "",
      `const scheme: SignatureScheme<${ed25519 ? "KeyObject" : "Buffer"}, Presented> = {`,
      '  name: "detected",',
      `  description: ${literal(custom.description)},`,
      `  signsTimestamp: ${timestamp !== undefined},`,
      "",
      ...prepare(hypothesis),
      "",
      ...read(custom, timestamp, id),
      "",
      ...verify(custom, timestamp, id),
      "",
      ...(ed25519 ? REFUSES_TO_SIGN : sign(custom, timestamp, id)),
      "};",
      "",
      ...(ed25519 ? signedContent(hypothesis) : mac(hypothesis)),
      "",
      ...ELEMENTS,
    ].join("\n"),
  };
}

function constants({ hypothesis, url, notInIds }: CustomScheme, timestamp?: Source, id?: Source): string[] {
  const { locator, encoding, algorithm } = hypothesis;
  const digits = digestPattern(SIGNATURE_BYTES[algorithm], encoding);
  const idCharacters = notInIds === "" ? "[!-~]{1,200}" : `(?:(?!${inPattern(notInIds)})[!-~]){1,200}`;
  return [
    `const SIGNATURE = /^${inPattern(locator.prefix)}(${digits})${inPattern(locator.suffix)}$/;`,
    ...(timestamp ? [`const TIMESTAMP = /^${elementPrefix(timestamp)}(${TIME_PATTERN[formatOf(timestamp)]})$/;`] : []),
    ...(id ? [`const ID = /^${elementPrefix(id)}(${idCharacters})$/;`] : []),
    ...(timestamp ? ["const TOLERANCE_MS = 5 * 60_000;"] : []),
    ...(url === undefined
      ? []
      : [
          "// The URL as the provider signs it. A receiver does not see it; keep it up to date.",
          `const URL_SIGNED = ${literal(url)};`,
        ]),
  ];
}

function prepare({ reading, algorithm }: Hypothesis): string[] {
  const text = reading.cut === "" ? "secret" : `secret.slice(${reading.cut.length})`;
  const cut = reading.cut === "" ? [] : [`    // The key is what follows ${reading.cut}`];
  const check = (least: string, why: string) =>
    `    if (key.length ${least}) throw new WebhookError("configuration_invalid", "secret: ${why}");`;
  const key = `    const key = Buffer.from(${text}, ${literal(reading.decode)});`;
  if (algorithm !== "ed25519") {
    return [
      "  prepare(secret) {",
      ...cut,
      key,
      check("< 16", "it is too short to be a key."),
      "    return key;",
      "  },",
    ];
  }
  return [
    "  prepare(secret) {",
    ...cut,
    key,
    check("!== 32", "an ed25519 public key has 32 bytes."),
    "    // What stands before a raw key in DER (RFC 8410, section 4).",
    '    const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key]);',
    '    return createPublicKey({ key: der, format: "der", type: "spki" });',
    "  },",
  ];
}

function read({ hypothesis }: CustomScheme, timestamp?: Source, id?: Source): string[] {
  const { locator, encoding } = hypothesis;
  const missing = [timestamp && "timestamp === undefined", id && "id === undefined"].filter(Boolean);
  const fields = ["signatures", timestamp && "timestamp", id && "id"].filter(Boolean);
  return [
    "  read(header) {",
    `    const value = header(${literal(locator.header)});`,
    '    if (value === undefined) return "signature_missing";',
    '    if (value.length > 8 * 1024) return "signature_malformed";',
    `    const signatures = elements(value, ${literal(locator.separator)}, SIGNATURE).map((text) => Buffer.from(text, ${literal(encoding)}));`,
    '    if (signatures.length === 0 || signatures.length > 16) return "signature_malformed";',
    ...(timestamp ? [`    const timestamp = ${found(timestamp, "TIMESTAMP", locator.header)};`] : []),
    ...(id ? [`    const id = ${found(id, "ID", locator.header)};`] : []),
    ...(missing.length > 0 ? [`    if (${missing.join(" || ")}) return "signature_malformed";`] : []),
    `    return { ${fields.join(", ")} };`,
    "  },",
  ];
}

function found({ header, element }: Source, pattern: string, signatureHeader: string): string {
  const value = header === signatureHeader ? "value" : `header(${literal(header)}) ?? ""`;
  return element
    ? `elements(${value}, ${literal(element.separator)}, ${pattern})[0]`
    : `${pattern}.exec(${value})?.[1]`;
}

function verify({ hypothesis, idIsEvents }: CustomScheme, timestamp?: Source, id?: Source): string[] {
  const given = ["signatures", timestamp && "timestamp", id && "id"].filter(Boolean).join(", ");
  const signed = [timestamp && "timestamp", id && "id", "body"].filter(Boolean).join(", ");
  const stale = timestamp && [
    `    const ageMs = nowMs - ${moment(formatOf(timestamp))};`,
    '    if (!(Math.abs(ageMs) <= TOLERANCE_MS)) return "timestamp_out_of_tolerance";',
  ];
  const tried =
    hypothesis.algorithm === "ed25519"
      ? [
          `    const content = signedContent(${signed});`,
          "    const secretIndex = keys.findIndex((key) => signatures.some((signature) => verify(null, content, key, signature)));",
        ]
      : [
          "    const secretIndex = keys.findIndex((key) => {",
          `      const expected = mac(key, ${signed});`,
          "      return signatures.some((signature) => timingSafeEqual(signature, expected));",
          "    });",
        ];
  const result = id && idIsEvents ? "{ secretIndex, messageId: id }" : "{ secretIndex }";
  const why =
    id && !idIsEvents
      ? ["    // The signed id is not handed on: nothing shows yet that a retry carries the same."]
      : [];
  return [
    `  verify({ ${given} }, body, keys${timestamp ? ", nowMs" : ""}) {`,
    ...(stale ?? []),
    ...tried,
    ...why,
    `    return secretIndex < 0 ? "signature_mismatch" : ${result};`,
    "  },",
  ];
}

const REFUSES_TO_SIGN = [
  "  sign() {",
  '    throw new WebhookError("configuration_invalid", "only the provider holds the private key that signs.");',
  "  },",
];

function sign({ hypothesis, nameOf }: CustomScheme, timestamp?: Source, id?: Source): string[] {
  const { locator, encoding } = hypothesis;
  const signed = [timestamp && "timestamp", id && "id", "body"].filter(Boolean).join(", ");
  const values = new Map<string, string[]>();
  const put = (header: string, text: string) => values.set(header, [...(values.get(header) ?? []), text]);
  if (timestamp) put(timestamp.header, `${inTemplate(timestamp.element?.prefix ?? "")}\${timestamp}`);
  if (id) put(id.header, `${inTemplate(id.element?.prefix ?? "")}\${id}`);
  put(locator.header, `${inTemplate(locator.prefix)}\${signature}${inTemplate(locator.suffix)}`);
  return [
    `  sign({ secret, body${id ? ", messageId: id = randomUUID()" : ""}${timestamp ? ", nowMs" : ""} }) {`,
    ...(timestamp ? [`    const timestamp = ${written(formatOf(timestamp))};`] : []),
    `    const signature = mac(scheme.prepare(secret), ${signed}).toString(${literal(encoding)});`,
    "    return {",
    ...[...values].map(
      ([header, texts]) => `      ${literal(nameOf(header))}: \`${texts.join(inTemplate(locator.separator))}\`,`,
    ),
    "    };",
    "  },",
  ];
}

function mac(hypothesis: Hypothesis): string[] {
  const { before, after } = templates(hypothesis);
  const updates = [before && `.update(${before})`, ".update(body)", after && `.update(${after})`].filter(Boolean);
  return [
    "/** The HMAC of what the provider signs. */",
    `function mac(key: Buffer, ${parameters(hypothesis)}): Buffer {`,
    `  return createHmac(${literal(hypothesis.algorithm)}, key)${updates.join("")}.digest();`,
    "}",
  ];
}

function signedContent(hypothesis: Hypothesis): string[] {
  const { before, after } = templates(hypothesis);
  const parts = [before && `Buffer.from(${before})`, "body", after && `Buffer.from(${after})`].filter(Boolean);
  return [
    "/** What the provider signs. */",
    `function signedContent(${parameters(hypothesis)}): Buffer {`,
    `  return Buffer.concat([${parts.join(", ")}]);`,
    "}",
  ];
}

const ELEMENTS = [
  "/** What the pattern takes out of the elements of a header's list. */",
  "function elements(value: string, separator: string, pattern: RegExp): string[] {",
  "  return value.split(separator).flatMap((element) => pattern.exec(element.trim())?.[1] ?? []);",
  "}",
];

function parameters(hypothesis: Hypothesis): string {
  const named = (["timestamp", "id"] as const).filter((kind) => sourceIn(hypothesis.content, kind));
  return [...named.map((name) => `${name}: string`), "body: Uint8Array"].join(", ");
}

/** What stands before and after the body, as template literals; empty where nothing does. */
function templates({ content }: Hypothesis): { before: string; after: string } {
  const texts = content.map((part) => {
    if (part.kind === "text") return inTemplate(part.text);
    if (part.kind === "method") return "POST";
    return `\${${part.kind === "url" ? "URL_SIGNED" : part.kind}}`;
  });
  const body = content.findIndex(({ kind }) => kind === "body");
  const template = (parts: readonly string[]) => (parts.length > 0 ? `\`${parts.join("")}\`` : "");
  return { before: template(texts.slice(0, body)), after: template(texts.slice(body + 1)) };
}

function elementPrefix({ element }: Source): string {
  return inPattern(element?.prefix ?? "");
}

function formatOf({ format }: Source): TimeFormat {
  return format ?? "seconds";
}

const TIME_PATTERN: Readonly<Record<TimeFormat, string>> = {
  seconds: "\\d{10}(?:\\.\\d{1,9})?",
  milliseconds: "\\d{13}",
  microseconds: "\\d{16}",
  nanoseconds: "\\d{19}",
  iso: "\\d{4}-\\d\\d-\\d\\d[Tt ][\\d:.]{8,18}(?:[Zz]|[+-]\\d\\d:?\\d\\d)",
  "http-date": "[A-Za-z]{3}, [\\w :]{17,22} GMT",
};

/** The expression of a timestamp's moment in epoch milliseconds. */
function moment(format: TimeFormat): string {
  if (format === "iso" || format === "http-date") return "Date.parse(timestamp)";
  return format === "milliseconds" ? "Number(timestamp)" : `Number(timestamp) * ${literalNumber(MS_EACH[format])}`;
}

/** The expression of a timestamp's text at `nowMs`. */
function written(format: TimeFormat): string {
  if (format === "iso") return "new Date(nowMs).toISOString()";
  if (format === "http-date") return "new Date(nowMs).toUTCString()";
  // Whole milliseconds first: a product of more digits than a number has would not be exact.
  if (format === "microseconds") return 'String(Math.floor(nowMs)) + "000"';
  if (format === "nanoseconds") return 'String(Math.floor(nowMs)) + "000000"';
  return format === "seconds" ? "String(Math.floor(nowMs / 1_000))" : "String(Math.floor(nowMs))";
}

function literalNumber(value: number): string {
  return value === 1_000 ? "1_000" : String(value);
}

function digestPattern(bytes: number, encoding: Hypothesis["encoding"]): string {
  if (encoding === "hex") return `[0-9a-fA-F]{${bytes * 2}}`;
  const padding = (3 - (bytes % 3)) % 3;
  const letters = encoding === "base64" ? "[A-Za-z0-9+/]" : "[A-Za-z0-9_-]";
  const pads = padding === 0 ? "" : `(?:${"=".repeat(padding)})?`;
  return `${letters}{${Math.ceil((bytes * 4) / 3)}}${pads}`;
}
