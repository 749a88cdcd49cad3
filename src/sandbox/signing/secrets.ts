import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { WebhookError } from "../../errors.ts";
import type { SignatureScheme } from "../../schemes/scheme.ts";
import { checks } from "../checks.ts";

/**
 * Makes a secret in a form that the scheme accepts.
 *
 * @throws WebhookError `configuration_invalid` if the scheme accepts neither `whsec_<base64>` nor hex
 */
export function freshSecret(scheme: SignatureScheme): string {
  const bytes = randomBytes(32);
  const candidates = [`whsec_${bytes.toString("base64")}`, bytes.toString("hex")];
  const secret = candidates.find((candidate) => signingError(scheme, candidate) === undefined);
  if (secret !== undefined) return secret;
  throw checks.invalid("scheme", "accepts neither a secret whsec_<base64> nor one in hex; give each endpoint a secret");
}

/** @throws WebhookError `configuration_invalid` for a secret with which the scheme cannot sign */
export function checkSecret(scheme: SignatureScheme, secret: string): void {
  const problem = signingError(scheme, secret);
  if (problem === undefined) return;
  const message = `sandbox: secret cannot be used to sign with ${scheme.name}`;
  throw new WebhookError("configuration_invalid", message, problem);
}

/** What `sign` throws with this secret; undefined if it signs. */
function signingError(scheme: SignatureScheme, secret: string): { readonly cause: unknown } | undefined {
  try {
    scheme.sign({ secret, body: Buffer.of(), messageId: "msg_probe", nowMs: 0 });
    return undefined;
  } catch (cause) {
    return { cause };
  }
}
