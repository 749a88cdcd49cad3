import { type CapturedDelivery, headerName } from "../../capture.ts";
import { stringLiteral } from "../../printable.ts";
import type { HeaderSource } from "../search/header-values.ts";
import type { Hypothesis } from "../search/hypothesis.ts";
import type { SecretDecoding } from "../search/keys.ts";
import type { Part } from "../search/signed-content.ts";

/** A description of how deliveries are signed, in words. */
export interface Description {
  /** The header's name, in the case in which it was sent. */
  readonly header: string;
  /** How the signature is made and encoded. */
  readonly signature: string;
  /** The content that is signed. */
  readonly signed: string;
  /** How the key is made from the secret. */
  readonly key: string;
}

/** Describes a hypothesis, with the header names of a delivery. */
export function describe(hypothesis: Hypothesis, delivery: CapturedDelivery): Description {
  const { locator, algorithm, encoding, decoding, content } = hypothesis;
  const name = algorithm === "ed25519" ? "ed25519 signature" : `HMAC-${algorithm.toUpperCase()}`;
  const after = locator.prefix === "" ? "" : `, after ${stringLiteral(locator.prefix)}`;
  const before = locator.suffix === "" ? "" : `, before ${stringLiteral(locator.suffix)}`;
  return {
    header: headerName(locator.header, delivery),
    signature: `${encoding} ${name}${after}${before}`,
    signed: content.map((part) => describePart(part, delivery)).join(" + "),
    key: describeKey(decoding),
  };
}

/** A description in one sentence. */
export function summarize(hypothesis: Hypothesis, delivery: CapturedDelivery): string {
  const { header, signature, signed, key } = describe(hypothesis, delivery);
  return `${header}: ${signature}, of ${signed}, keyed with ${key}`;
}

function describePart(part: Part, delivery: CapturedDelivery): string {
  switch (part.kind) {
    case "text":
      return stringLiteral(part.text);
    case "body":
      return "raw body";
    case "method":
      return "method";
    case "url":
      return part.form.from === "request" ? part.form.part : "URL";
    default:
      return describeSource(part.source, delivery);
  }
}

/** For example `t= of X-Signature (unix seconds)`. */
function describeSource({ header, element, format }: HeaderSource, delivery: CapturedDelivery): string {
  const name = headerName(header, delivery);
  const place = element ? `${element.prefix || "an element"} of ${name}` : name;
  return format ? `${place} (${FORMAT[format]})` : place;
}

const FORMAT: Readonly<Record<NonNullable<HeaderSource["format"]>, string>> = {
  seconds: "unix seconds",
  milliseconds: "unix milliseconds",
  microseconds: "unix microseconds",
  nanoseconds: "unix nanoseconds",
  iso: "ISO 8601",
  "http-date": "HTTP date",
};

function describeKey({ for: kind, cut, decode }: SecretDecoding): string {
  const publicKey = kind === "ed25519" ? "the public key, " : "";
  const text = cut === "" ? "the secret" : `the text after ${cut}`;
  return decode === "utf8" ? `${publicKey}${text} as it is` : `${publicKey}${text}, decoded from ${decode}`;
}
