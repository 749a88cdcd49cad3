import { setImmediate } from "node:timers/promises";
import type { Delivery } from "../../src/delivery.ts";
import {
  type AcceptedOutcome,
  createReceiver,
  type DeliveryReport,
  type Outcome,
  type Receiver,
  type ReceiverOptions,
} from "../../src/index.ts";
import type { SignatureScheme } from "../../src/schemes/scheme.ts";
import { signDelivery } from "../../src/testing/sign.ts";

export const SECRET = "a-shared-secret-of-some-length";

/** An event with an id that no other event has. */
export function anEvent(
  type = "order.filled",
  more: object = {},
): { event: string; event_id: string; data: { id: string } } {
  return { event: type, event_id: `evt_${ids++}`, data: { id: "ord_1" }, ...more };
}
let ids = 1;

interface Signing {
  readonly secret?: string;
  readonly scheme?: SignatureScheme;
  readonly now?: number;
  readonly messageId?: string;
}

/** A genuine delivery with its body as bytes. */
export function signed(
  event: object | string | Uint8Array = anEvent(),
  signing: Signing = {},
): Delivery & { body: Uint8Array } {
  const { method, headers, body } = signDelivery({ secret: SECRET, event, ...signing });
  return { method, headers, body: typeof body === "string" ? new TextEncoder().encode(body) : body };
}

/** One line that a receiver logged. */
interface Line {
  readonly level: "warn" | "error";
  readonly message: string;
  readonly error: unknown;
}

export interface Bench {
  readonly receiver: Receiver;
  readonly lines: Line[];
  readonly reports: DeliveryReport[];
}

/** A receiver, what it logs and what it reports. With the option `store` its namespace is `bench`, unless the options name another. */
export function bench(options: Partial<ReceiverOptions> = {}): Bench {
  const lines: Line[] = [];
  const reports: DeliveryReport[] = [];
  const log = (level: Line["level"]) => (message: string, error?: unknown) =>
    void lines.push({ level, message, error });
  const receiver = createReceiver({
    secret: SECRET,
    logger: { warn: log("warn"), error: log("error") },
    observe: (report) => void reports.push(report),
    ...(options.store && { namespace: "bench" }),
    ...options,
  });
  return { receiver, lines, reports };
}

/** The outcome, if it is accepted; else throws an error that names it. */
export function accepted(outcome: Outcome): AcceptedOutcome {
  if (outcome.kind === "accepted") return outcome;
  throw new Error(`${outcome.kind}, not accepted: ${outcome.kind === "rejected" ? outcome.error.code : ""}`);
}

/** An outcome's kind, or the code of a rejection. */
export function verdict(outcome: Outcome): string {
  return outcome.kind === "rejected" ? outcome.error.code : outcome.kind;
}

/** A promise that the test fulfils. */
export interface Gate<T = void> {
  readonly passed: Promise<T>;
  readonly open: (value: T) => void;
}

export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => {};
  const passed = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/** Waits until the condition holds, checking it at each turn of the event loop. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`);
    await setImmediate();
  }
}
