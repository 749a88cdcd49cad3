import type { Buffer } from "node:buffer";

/** The resource in an event, as a row of the list shows it. Both values are copied from the payload. */
export interface Resource {
  readonly resourceId?: string;
  readonly amount?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** A larger body is not parsed: this runs at every change of a delivery. */
const MAX_PARSED_BYTES = 64 * 1024;
/** Longer values are cut. */
const MAX_CHARACTERS = 100;

/** The id and the amount in the `data` of an event's body; neither for a body that has none, or is larger than 64 KiB. */
export function resourceOf(body: Buffer): Resource {
  const { data } = jsonFields(body);
  if (!isFields(data)) return {};
  const resourceId = first(data, "id", "deposit_id", "withdrawal_id", "document_id", "workflow_id");
  const amount = amountOf(data);
  return { ...(resourceId === undefined ? {} : { resourceId }), ...(amount === undefined ? {} : { amount }) };
}

/** The fields of a JSON object; none if the bytes are something else, or larger than 64 KiB. */
function jsonFields(bytes: Buffer): Fields {
  if (bytes.byteLength > MAX_PARSED_BYTES) return {};
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return isFields(value) ? value : {};
  } catch {
    return {};
  }
}

/** Such as `250.00 USD` of a transfer, and `10 AAPL × 178.50 USD` of an order: what is filled, else what is ordered. */
function amountOf(data: Fields): string | undefined {
  const currency = first(data, "currency");
  const filledPrice = first(data, "average_price");
  const price = filledPrice ?? first(data, "limit_price", "stop_price");
  const ordered = first(data, "quantity", "qty");
  const quantity = (filledPrice && first(data, "filled_quantity", "filled_qty")) ?? ordered;
  const money = first(data, "amount") ?? (quantity === undefined ? first(data, "notional") : undefined);
  if (money !== undefined) return joined(money, currency);
  if (quantity === undefined) return undefined;
  const what = joined(quantity, first(data, "symbol"));
  return price === undefined ? what : `${what} × ${joined(price, currency)}`;
}

function joined(...words: readonly (string | undefined)[]): string {
  return words.filter((word) => word !== undefined).join(" ");
}

/** The first of these fields that holds a text or a number. */
function first(data: Fields, ...names: readonly string[]): string | undefined {
  const found = names
    .map((name) => data[name])
    .find((value) => (typeof value === "string" && value !== "") || typeof value === "number");
  return found === undefined ? undefined : String(found).slice(0, MAX_CHARACTERS);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
