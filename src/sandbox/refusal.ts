import { WebhookError } from "../errors.ts";

/** Something that the sandbox was asked for and cannot do: what it is about, and what it takes. */
export function refused(subject: string, requirement: string, cause?: unknown): WebhookError {
  const message = `sandbox: ${subject} ${requirement}.`;
  return new WebhookError("configuration_invalid", message, cause === undefined ? {} : { cause });
}
