import { Buffer } from "node:buffer";
import { timestampOf } from "../../schemes/timestamp.ts";
import { PKCS8_HEAD, type SignatureForm } from "./form.ts";
import type { SignedMessage } from "./signed.ts";

const KEYS: Readonly<Record<SignatureForm["key"], string>> = {
  utf8: 'Buffer.from(secret, "utf8")',
  base64: 'Buffer.from(secret, "base64")',
  hex: 'Buffer.from(secret, "hex")',
  whsec: 'Buffer.from(secret.slice("whsec_".length), "base64")',
  whsk: 'Buffer.from(secret.slice("whsk_".length), "base64").subarray(0, 32)',
};

const PREFIXES: Readonly<Record<SignatureForm["content"], string>> = {
  body: "",
  "timestamp.body": 'timestamp + "."',
  "id.timestamp.body": 'id + "." + timestamp + "."',
};

/** A program in plain Node that prints the signature header of one delivery, computed from the secret and the body. */
export function signatureProgram(form: SignatureForm, message: SignedMessage): string {
  const lines = [
    `import { ${form.algorithm === "ed25519" ? "createPrivateKey, sign" : "createHmac"} } from "node:crypto";`,
    "",
    `const secret = ${JSON.stringify(message.signed.secret)};`,
    ...partsOf(form, message),
    `const body = ${bodyExpression(message.body)}; // the raw bytes, never the parsed object`,
    "",
    `const key = ${KEYS[form.key]};`,
    ...computation(form),
    `console.log(${headerExpression(form)});`,
  ];
  return `${lines.join("\n")}\n`;
}

function partsOf({ content }: SignatureForm, { messageId, signed }: SignedMessage): string[] {
  const id = `const id = ${JSON.stringify(messageId)};`;
  const timestamp = `const timestamp = "${timestampOf(signed.signedAtMs)}";`;
  if (content === "body") return [];
  return content === "timestamp.body" ? [timestamp] : [id, timestamp];
}

/** A literal for bytes, readable if they are text. */
function bodyExpression(body: Buffer): string {
  const text = body.toString("utf8");
  if (!Buffer.from(text, "utf8").equals(body)) return `Buffer.from("${body.toString("base64")}", "base64")`;
  // Single quotes keep JSON readable, unless it has single quotes itself or characters to escape.
  const literal = /^[ -&(-[\]-~]*$/.test(text) ? `'${text}'` : JSON.stringify(text);
  return `Buffer.from(${literal}, "utf8")`;
}

function computation({ algorithm, content, encoding }: SignatureForm): string[] {
  const prefix = PREFIXES[content];
  if (algorithm === "ed25519") {
    return [
      `const der = Buffer.concat([Buffer.from("${PKCS8_HEAD}", "hex"), key]);`,
      'const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });',
      `const signed = ${prefix === "" ? "body" : `Buffer.concat([Buffer.from(${prefix}), body])`};`,
      `const signature = sign(null, signed, privateKey).toString("${encoding}");`,
    ];
  }
  const updates = `${prefix === "" ? "" : `.update(${prefix})`}.update(body)`;
  return [`const signature = createHmac("${algorithm}", key)${updates}.digest("${encoding}");`];
}

/** The line of the header. Its parts are string literals, since a prefix may have any character. */
function headerExpression({ header, before: [first = "", ...others] }: SignatureForm): string {
  const texts = [`${header}: ${first}`, ...others].map((text) => JSON.stringify(text));
  return `${texts.join(" + timestamp + ")} + signature`;
}
