import { WebhookError } from "../errors.ts";
import type { ReceiverOptions } from "./options.ts";
import { createReceiver, hasInbox } from "./receiver.ts";
import type { Receiver } from "./receiver-api.ts";

/**
 * For adapters: a receiver as it is, or one made of bare options.
 *
 * @throws WebhookError `configuration_invalid`, naming the option
 */
export function receiverOf(receiver: Receiver | ReceiverOptions): Receiver {
  return isReceiver(receiver) ? receiver : createReceiver(receiver);
}

/**
 * For adapters: a receiver whose caller does the work.
 *
 * @throws WebhookError `configuration_invalid` for one with an inbox
 */
export function middlewareReceiverOf(receiver: Receiver | ReceiverOptions): Receiver {
  const made = receiverOf(receiver);
  if (hasInbox(made)) throw new WebhookError("configuration_invalid", NO_MIDDLEWARE);
  return made;
}

function isReceiver(value: Receiver | ReceiverOptions | undefined): value is Receiver {
  return typeof (value as Partial<Receiver> | undefined)?.receive === "function";
}

const NO_MIDDLEWARE =
  "bluumWebhooks runs your route before the reply, so it needs a receiver without an inbox; with an inbox register handlers with receiver.on(...) and mount bluumHandler(receiver)";
