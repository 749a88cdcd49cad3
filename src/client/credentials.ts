import { Buffer } from "node:buffer";
import { refused } from "./errors.ts";

/** Key and secret, as the rest of the client uses them. */
export interface Credentials {
  /** The value of the `Authorization` header. */
  readonly authorization: string;
  /** Replaces the credentials in a text by `…`. */
  readonly redact: (text: string) => string;
}

/** Checks key and secret. Error messages never contain them. */
export function credentialsOf(owner: string, apiKey: unknown, apiSecret: unknown): Credentials {
  const key = credential(owner, "apiKey", apiKey, "BLUUM_API_KEY");
  const secret = credential(owner, "apiSecret", apiSecret, "BLUUM_API_SECRET");
  if (key.includes(":")) throw refused(owner, "apiKey", "must not contain a colon");
  const basic = Buffer.from(`${key}:${secret}`, "utf8").toString("base64");
  return { authorization: `Basic ${basic}`, redact: redacting([basic, secret, key]) };
}

function credential(owner: string, option: string, value: unknown, variable: string): string {
  if (value === undefined || value === "") throw refused(owner, option, `is missing; give it or set ${variable}`);
  if (typeof value === "string" && !/^\s|\s$|\p{Cc}|\p{Cs}/u.test(value)) return value;
  throw refused(owner, option, "must be a string without control characters or surrounding white space");
}

/** Shorter credentials are not secret, and replacing them would garble every message. */
const MIN_REDACTED_LENGTH = 4;

/** Credentials are replaced as they are and URL-encoded; the longest first, so that none is replaced in part. */
function redacting(credentials: readonly string[]): (text: string) => string {
  const long = credentials.filter(({ length }) => length >= MIN_REDACTED_LENGTH);
  const forms = new Set(long.flatMap((each) => [each, encodeURIComponent(each)]));
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((result, form) => result.replaceAll(form, "…"), text);
}
