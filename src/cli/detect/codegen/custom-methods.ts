import type { Source } from "../search/source.ts";
import { inTemplate, literal } from "./code-text.ts";
import type { Sketch } from "./custom-sketch.ts";
import { momentCode, timestampCode } from "./custom-time.ts";

/** The method `prepare`: a secret to a key. */
export function prepareCode({ hypothesis: { reading }, hasKeyPair }: Sketch): string[] {
  const text = reading.cut === "" ? "secret" : `secret.slice(${literal(reading.cut)}.length)`;
  const check = (least: string, why: string) =>
    `    if (key.length ${least}) throw new WebhookError("configuration_invalid", "secret: ${why}");`;
  const ready = hasKeyPair
    ? [
        check("!== 32", "an ed25519 public key has 32 bytes."),
        "    // What stands before a raw key in DER (RFC 8410, section 4).",
        '    const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key]);',
        '    return createPublicKey({ key: der, format: "der", type: "spki" });',
      ]
    : [check("< 16", "it is too short to be a key."), "    return key;"];
  return ["  prepare(secret) {", `    const key = Buffer.from(${text}, ${literal(reading.decode)});`, ...ready, "  },"];
}

/** The method `read`: the headers to what they present. */
export function readCode({ hypothesis, timestamp, id, names }: Sketch): string[] {
  const { locator, encoding } = hypothesis;
  const missing = names.map((name) => `${name} === undefined`).join(" || ");
  return [
    "  read(header) {",
    `    const value = header(${literal(locator.header)});`,
    '    if (value === undefined) return "signature_missing";',
    '    if (value.length > 8 * 1024) return "signature_malformed";',
    `    const signatures = elements(value, ${literal(locator.separator)}, SIGNATURE).map((text) => Buffer.from(text, ${literal(encoding)}));`,
    '    if (signatures.length === 0 || signatures.length > 16) return "signature_malformed";',
    ...(timestamp ? [`    const timestamp = ${found(timestamp, "TIMESTAMP", locator.header)};`] : []),
    ...(id ? [`    const id = ${found(id, "ID", locator.header)};`] : []),
    ...(missing === "" ? [] : [`    if (${missing}) return "signature_malformed";`]),
    `    return { ${["signatures", ...names].join(", ")} };`,
    "  },",
  ];
}

function found({ header, element }: Source, pattern: string, signatureHeader: string): string {
  const value = header === signatureHeader ? "value" : `header(${literal(header)}) ?? ""`;
  return element
    ? `elements(${value}, ${literal(element.separator)}, ${pattern})[0]`
    : `${pattern}.exec(${value})?.[1]`;
}

/** The method `verify`: whether what was presented was signed, and when. */
export function verifyCode({ timestamp, id, names, hasKeyPair, idIsEvents }: Sketch): string[] {
  const stale = timestamp && [
    `    const ageMs = nowMs - ${momentCode(timestamp.format)};`,
    '    if (!(Math.abs(ageMs) <= TOLERANCE_MS)) return "timestamp_out_of_tolerance";',
  ];
  const signed = [...names, "body"].join(", ");
  const tried = hasKeyPair
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
  const kept = id &&
    !idIsEvents && ["    // The id is not handed on: nothing shows yet that a retry carries the same."];
  return [
    `  verify({ ${["signatures", ...names].join(", ")} }, body, keys${timestamp ? ", nowMs" : ""}) {`,
    ...(stale ?? []),
    ...tried,
    ...(kept || []),
    `    return secretIndex < 0 ? "signature_mismatch" : { secretIndex${id && idIsEvents ? ", messageId: id" : ""} };`,
    "  },",
  ];
}

/** The method `sign`: the headers that the provider would send. */
export function signCode(sketch: Sketch): string[] {
  const { hypothesis, timestamp, id, names, hasKeyPair } = sketch;
  if (hasKeyPair) return REFUSES_TO_SIGN;
  const asked = ["secret", "body", ...(id ? ["messageId: id = randomUUID()"] : []), ...(timestamp ? ["nowMs"] : [])];
  const signature = `mac(scheme.prepare(secret), ${[...names, "body"].join(", ")})`;
  return [
    `  sign({ ${asked.join(", ")} }) {`,
    ...(timestamp ? [`    const timestamp = ${timestampCode(timestamp.format)};`] : []),
    `    const signature = ${signature}.toString(${literal(hypothesis.encoding)});`,
    `    return { ${headersCode(sketch)} };`,
    "  },",
  ];
}

const REFUSES_TO_SIGN = [
  "  sign() {",
  '    throw new WebhookError("configuration_invalid", "only the provider holds the private key that signs.");',
  "  },",
];

/** The headers that carry timestamp, id and signature; what shares one is a list. */
function headersCode({ hypothesis: { locator }, timestamp, id, nameOf }: Sketch): string {
  const texts: [header: string, text: string][] = [];
  if (timestamp) texts.push([timestamp.header, `${elementPrefix(timestamp)}\${timestamp}`]);
  if (id) texts.push([id.header, `${elementPrefix(id)}\${id}`]);
  texts.push([locator.header, `${inTemplate(locator.prefix)}\${signature}${inTemplate(locator.suffix)}`]);
  const headers = [...new Set(texts.map(([header]) => header))];
  const textsIn = (header: string) => texts.flatMap(([of, text]) => (of === header ? [text] : []));
  return headers
    .map((header) => `${literal(nameOf(header))}: \`${textsIn(header).join(inTemplate(locator.separator))}\``)
    .join(", ");
}

function elementPrefix({ element }: Source): string {
  return inTemplate(element?.prefix ?? "");
}
