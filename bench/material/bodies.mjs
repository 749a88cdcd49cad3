// Event bodies of a wanted size, as the provider would send them.
import { randomBytes } from "node:crypto";
import { sampleEvent } from "bluum-webhooks/testing";

const NOTE = { ascii: "a note of the investor, ", beyond: "Bemerkung für Zoë, 投資家の備考 – " };

/** The length of the id of a body, which contains it once. */
const ID_LENGTH = 20;

/**
 * One event of about `size` bytes.
 *
 * @param text `"ascii"`, or `"beyond"` for a body with many characters beyond ASCII
 */
export function bodyOf(size, text, id = freshId()) {
  const event = { id, ...sampleEvent("order.filled"), livemode: true, notes: [] };
  if (size < 500)
    return padded({ id, event: event.event, timestamp: event.timestamp, data: someOf(event.data) }, size, text);
  const note = (nth) => ({
    author: `inv_${nth % 1000}`,
    text: NOTE[text].repeat(2),
    amount: "178.50",
    read: nth % 2 === 0,
  });
  const count = Math.floor((size - bytesOf(event)) / (bytesOf(note(100)) + 1));
  for (let nth = 0; nth < count; nth++) event.notes.push(note(nth));
  return Buffer.from(JSON.stringify(event));
}

function padded(event, size, text) {
  const fits = Math.max(1, Math.floor((size - bytesOf(event)) / bytesOf(NOTE[text])));
  event.data.note = NOTE[text].repeat(fits);
  return Buffer.from(JSON.stringify(event));
}

/** The smallest order. */
function someOf({ id, symbol, status, quantity }) {
  return { id, symbol, status, quantity };
}

function bytesOf(value) {
  return Buffer.byteLength(JSON.stringify(value));
}

/** A unique event id. */
function freshId() {
  return `evt_${randomBytes(8).toString("hex")}`;
}

/** A body whose id is overwritten in place, so that making a fresh event leaves no garbage for the next candidate. */
export class RenewableBody {
  static #next = 0;
  #at;

  constructor(size) {
    const id = freshId();
    this.bytes = bodyOf(size, "ascii", id);
    this.#at = this.bytes.indexOf(id);
    this.id = id;
  }

  /** Gives the body a new id. */
  renew() {
    this.id = `evt_${(RenewableBody.#next++).toString(16).padStart(ID_LENGTH - 4, "0")}`;
    this.bytes.write(this.id, this.#at, "latin1");
  }
}
