import { randomBytes } from "node:crypto";

/** A new random id with a prefix, such as `ord_` and 16 hex digits. */
export function freshId(prefix: string): string {
  return prefix + randomBytes(8).toString("hex");
}
