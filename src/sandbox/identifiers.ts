import { randomBytes } from "node:crypto";

/** A fresh id with its resource's prefix, such as `ord_` and 16 hex digits. */
export function freshId(prefix: string): string {
  return prefix + randomBytes(8).toString("hex");
}

/** A secret of 32 random bytes, in the two forms of which every scheme of the package takes one. */
export function freshSecrets(): readonly [string, string] {
  const bytes = randomBytes(32);
  return [`whsec_${bytes.toString("base64")}`, bytes.toString("hex")];
}
