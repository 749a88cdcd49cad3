import { literal } from "../codegen/code-text.ts";
import type { Part } from "../search/content.ts";
import type { Captured } from "../search/delivery.ts";
import type { Hypothesis } from "../search/hypothesis.ts";
import type { KeyReading } from "../search/key-reading.ts";
import type { Source } from "../search/source.ts";

/** A finding in words, one line for each of its parts. */
export interface Wording {
  /** The header's name as it was sent. */
  readonly header: string;
  /** How the signature is made and written. */
  readonly signature: string;
  /** What is signed. */
  readonly signed: string;
  /** What of the secret is the key. */
  readonly key: string;
}

/** Says a hypothesis in words. */
export function wordingOf({ locator, algorithm, encoding, reading, content }: Hypothesis, captured: Captured): Wording {
  const mac = algorithm === "ed25519" ? "ed25519 signature" : `HMAC-${algorithm.toUpperCase()}`;
  const after = locator.prefix === "" ? "" : `, after ${literal(locator.prefix)}`;
  const before = locator.suffix === "" ? "" : `, before ${literal(locator.suffix)}`;
  return {
    header: headerName(locator.header, captured),
    signature: `${encoding} ${mac}${after}${before}`,
    signed: content.map((part) => partWords(part, captured)).join(" + "),
    key: keyWords(reading),
  };
}

/** A header's name as it was sent. */
export function headerName(header: string, captured: Captured): string {
  return captured.headers.get(header)?.name ?? header;
}

/** A source in words, such as `t= of X-Signature`. */
function sourceWords({ header, element, format }: Source, captured: Captured): string {
  const name = headerName(header, captured);
  const where = element ? `${element.prefix || "an element"} of ${name}` : name;
  return format ? `${where} (${FORMAT[format]})` : where;
}

const FORMAT: Readonly<Record<NonNullable<Source["format"]>, string>> = {
  seconds: "unix seconds",
  milliseconds: "unix milliseconds",
  microseconds: "unix microseconds",
  nanoseconds: "unix nanoseconds",
  iso: "ISO 8601",
  "http-date": "HTTP date",
};

function partWords(part: Part, captured: Captured): string {
  switch (part.kind) {
    case "text":
      return literal(part.text);
    case "body":
      return "raw body";
    case "method":
      return "method";
    case "url":
      return part.form.from === "request" ? part.form.part : "URL";
    default:
      return sourceWords(part.source, captured);
  }
}

function keyWords({ for: kind, cut, decode }: KeyReading): string {
  const what = kind === "ed25519" ? "the public key, " : "";
  const text = cut === "" ? "the secret" : `what follows ${cut}`;
  return decode === "utf8" ? `${what}${text}, as it is` : `${what}${text}, decoded from ${decode}`;
}
