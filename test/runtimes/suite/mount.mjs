// A receiver mounted on Request and Response, with no socket in between.

export const SECRET = "a-secret-for-the-runtimes";
export const URL_OF_MOUNT = "http://localhost/webhooks/bluum";

/**
 * Mounts a receiver over the fetch door.
 *
 * @param handler what its one handler does; it gets the event and its context
 * @returns the mount: `send` a delivery and get its answer, and what was `handled`
 */
export function mount(doors, options = {}, handler = () => {}) {
  const handled = [];
  const receiver = doors["."]
    .createReceiver({ secret: SECRET, logger: false, ...options })
    .on("*", (event, context) => {
      handled.push(event.id);
      return handler(event, context);
    });
  const handle = doors["./fetch"].bluumHandler(receiver);
  return { receiver, handled, send: async (delivery) => answerOf(await handle(requestOf(delivery))) };
}

/** A delivery as a request; the body may be a stream. */
export function requestOf({ method = "POST", headers, body }) {
  return new Request(URL_OF_MOUNT, { method, headers, body, duplex: "half" });
}

/** An answer in short: its status and, where it was refused, the code; `duplicate` and `ping` are told as well. */
export async function answerOf(response) {
  const text = await response.text();
  if (text === "") return `${response.status}`;
  const { error, duplicate, ping } = JSON.parse(text);
  return `${response.status}${error ? ` ${error.code}` : ""}${duplicate ? " duplicate" : ""}${ping ? " ping" : ""}`;
}

/** A new signed delivery of an event of one's choice. */
export function delivery(doors, { type = "order.filled", data, ...options } = {}) {
  const { sampleEvent, signDelivery } = doors["./testing"];
  return signDelivery({ secret: SECRET, event: sampleEvent(type, { data }), ...options });
}

/** Text as bytes. */
export function bytes(text) {
  return new TextEncoder().encode(text);
}
