import { Buffer } from "node:buffer";
import { refused } from "./errors.ts";

/** Key and secret, as far as the rest of the client meets them. */
export interface Credentials {
  /** The value of the `Authorization` header. */
  readonly authorization: string;
  /** Strikes the credentials out of a text. */
  readonly strike: (text: string) => string;
}

/** Checks key and secret. What is refused is not repeated. */
export function credentialsOf(whose: string, apiKey: unknown, apiSecret: unknown): Credentials {
  const key = credential(whose, "apiKey", apiKey, "BLUUM_API_KEY");
  const secret = credential(whose, "apiSecret", apiSecret, "BLUUM_API_SECRET");
  if (key.includes(":")) throw refused(whose, "apiKey", "must hold no colon");
  const basic = Buffer.from(`${key}:${secret}`, "utf8").toString("base64");
  return { authorization: `Basic ${basic}`, strike: striking([basic, secret, key]) };
}

function credential(whose: string, option: string, value: unknown, variable: string): string {
  if (value === undefined || value === "") throw refused(whose, option, `is missing; give it, or set ${variable}`);
  if (typeof value === "string" && !/^\s|\s$|\p{Cc}|\p{Cs}/u.test(value)) return value;
  throw refused(whose, option, "must be a string without white space around it and without control characters");
}

/** Of a credential this short nothing is secret, and every second word would be struck. */
const SHORT = 4;

/** The longest first, so that none is struck in part. As they are, and as they would stand in a URL. */
function striking(credentials: readonly string[]): (text: string) => string {
  const long = credentials.filter(({ length }) => length >= SHORT);
  const forms = new Set(long.flatMap((each) => [each, encodeURIComponent(each)]));
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((left, form) => left.replaceAll(form, "…"), text);
}
