import { Buffer } from "node:buffer";
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
    const text = JSON.stringify(await apply(JSON.parse(body), event));
    return text === undefined ? null : bodyView(Buffer.from(text, "utf8"));
  } catch (error) {
    onError(error);
    return null;
  }
}
