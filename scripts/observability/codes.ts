import type { RejectionCode } from "../../src/errors.ts";

/** The codes of deliveries that are not proven to be the provider's. */
export const SIGNATURE_CODES = [
  "signature_missing",
  "signature_malformed",
  "signature_mismatch",
  "timestamp_out_of_tolerance",
] as const satisfies readonly RejectionCode[];
