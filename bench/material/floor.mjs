// The minimum work of any receiver: an HMAC with a prepared key, a comparison in constant time, JSON.parse.
import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import { SECRET } from "./signatures.mjs";

const key = createSecretKey(Buffer.from(SECRET));

/** Whether the signature, in hex, is that of the body. */
function isGenuine(body, signature) {
  const expected = createHmac("sha256", key).update(body).digest();
  const given = Buffer.from(signature, "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Verifies and parses. */
export function verifyAndParse(body, signature) {
  if (!isGenuine(body, signature)) throw new Error("the signature does not match");
  return JSON.parse(body.toString());
}
