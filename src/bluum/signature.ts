import { hmacScheme } from "../schemes/hmac.ts";
import type { SignatureScheme } from "../schemes/scheme.ts";

/** The header that is assumed to carry Bluum's signature. */
export const SIGNATURE_HEADER = "X-Bluum-Signature";

/**
 * How this package assumes that Bluum signs: `X-Bluum-Signature` carries the hex HMAC-SHA256 of the raw body, keyed with the UTF-8 bytes
 * of the webhook's `secret`, with or without `sha256=` before it.
 *
 * **This is an assumption.** Bluum's documentation says that every delivery is signed with the webhook's secret, but publishes neither
 * header, algorithm nor encoding. If your deliveries are signed in another way, give the receiver another scheme; nothing else
 * changes:
 *
 * @example
 * createReceiver({ secret, scheme: hmacSignature({ header: "X-Other-Signature", encoding: "base64" }) });
 * createReceiver({ secret, scheme: timestampedSignature({ header: "X-Other-Signature" }) });
 * createReceiver({ secret, scheme: standardWebhooksSignature() });
 */
export function bluumSignature(): SignatureScheme {
  return hmacScheme({
    name: "bluum",
    description: `${SIGNATURE_HEADER}: <hex HMAC-SHA256 of the raw body>, optionally with sha256= before it`,
    header: SIGNATURE_HEADER,
    algorithm: "sha256",
    encoding: "hex",
    secretEncoding: "utf8",
    acceptedPrefixes: ["", "sha256="],
  });
}
