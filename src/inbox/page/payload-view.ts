import { Buffer } from "node:buffer";
import { WebhookError } from "../../errors.ts";
import type { BodyView } from "../../page/body.ts";
import { bodyView } from "../../page/server/body-view.ts";
import type { InspectInboxOptions, MaskedEvent } from "./options.ts";

/** How payloads are masked. */
export interface Mask {
  /** The app's own function; undefined if it has none. */
  readonly apply: InspectInboxOptions["mask"];
  readonly onError: (error: unknown) => void;
}

/** What the page may show of a payload: the exact text without a mask; null if the mask fails or gives nothing. */
export async function payloadView(
  body: string,
  event: MaskedEvent,
  { apply, onError }: Mask,
): Promise<BodyView | null> {
  if (apply === undefined) return bodyView(Buffer.from(body, "utf8"));
  try {
    const text = JSON.stringify(await apply(parsed(body), event));
    return text === undefined ? null : bodyView(Buffer.from(text, "utf8"));
  } catch (error) {
    onError(error);
    return null;
  }
}

function parsed(body: string): never {
  try {
    // A message keeps the byte order mark that was signed.
    return JSON.parse(body.replace(/^\uFEFF/, "")) as never;
  } catch {
    // Without the cause: its text shows a part of the payload.
    throw new WebhookError("inbox_message_invalid", "the body of a parked event is not JSON, so it cannot be masked");
  }
}
