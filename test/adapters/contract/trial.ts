import { expect } from "vitest";
import {
  type BluumEvent,
  createReceiver,
  type DeliveryContext,
  type DeliveryReport,
  type Receiver,
  type ReceiverOptions,
  type SignatureScheme,
} from "../../../src/index.ts";
import { type SignedDelivery, signDelivery } from "../../../src/testing/index.ts";
import type { Answer, Endpoint, Sending } from "./sender.ts";

/** What the app does with an accepted event: the status that it answers, or a throw. */
type Work = (event: BluumEvent, context: DeliveryContext) => number | Promise<number>;

/** One way of mounting a receiver. */
export interface Member {
  readonly name: string;
  /** Whether it listens on a socket; without one, only cases that a `Request` can express are run. */
  readonly overSockets: boolean;
  /** Whether the app answers, behind the middleware; otherwise the receiver runs its handlers and answers. */
  readonly appAnswers: boolean;
  start(receiver: Receiver, work: Work): Promise<Endpoint>;
}

/** Vitest's `it`, of which only the plain form is used. */
export type It = (name: string, run: () => Promise<void>) => void;

export const SECRET = "the-secret-of-the-contract-0123456789";
/** Is in every payload; must never be in an answer or in the log. */
export const MARK = "confidential-payload-mark";

/** A started endpoint, and what it did so far. */
export interface Trial {
  readonly endpoint: Endpoint;
  readonly send: (sending: Sending) => Promise<Answer>;
  /** The events that reached the app, in order. */
  readonly reached: BluumEvent[];
  readonly contexts: DeliveryContext[];
  readonly reports: DeliveryReport[];
  readonly log: string[];
  readonly receiver: Receiver;
}

export interface TrialOptions extends Partial<ReceiverOptions> {
  readonly work?: Work;
  /** How the last, genuine delivery is signed, if the receiver does not verify by the common secret. */
  readonly sign?: (event: object) => Sending;
}

/**
 * Starts a member, runs one case against it, and then expects what holds after every case: a genuine delivery is accepted, no answer
 * and no log line holds the secret or the payload, and no connection is open.
 */
export async function trial(
  member: Member,
  options: TrialOptions,
  run: (trial: Trial) => Promise<void>,
): Promise<void> {
  const { work = () => 204, sign = (event: object) => signed(event), ...receiverOptions } = options;
  const reached: BluumEvent[] = [];
  const contexts: DeliveryContext[] = [];
  const reports: DeliveryReport[] = [];
  const log: string[] = [];
  const write = (message: string, error?: unknown) =>
    void log.push(`${message} ${error instanceof Error ? error.message : ""}`);
  const receiver = createReceiver({
    secret: SECRET,
    logger: { warn: write, error: write },
    observe: (report) => reports.push(report),
    ...receiverOptions,
  });
  const endpoint = await member.start(receiver, (event, context) => {
    reached.push(event);
    contexts.push(context);
    return work(event, context);
  });
  const answers: Answer[] = [];
  const send = async (sending: Sending) => {
    const answer = await endpoint.send(sending);
    answers.push(answer);
    return answer;
  };
  try {
    await run({ endpoint, send, reached, contexts, reports, log, receiver });
    const before = reached.length;
    const last = event({ id: "evt_genuine_after_all" });
    expect(await send(sign(last)), "a genuine delivery after the case").toSatisfy(isSuccess);
    expect(reached.slice(before).map(({ payload }) => payload.id)).toEqual([last.id]);
  } finally {
    await endpoint.close();
  }
  const printed = [...answers.map((answer) => JSON.stringify(answer)), ...log].join("\n");
  expect(printed).not.toContain(SECRET);
  expect(printed).not.toContain(MARK);
}

let ordinal = 0;

/** A new event of the documented shape, with its own id. */
export function event(fields: Record<string, unknown> = {}): Record<string, unknown> & { id: string } {
  ordinal += 1;
  const data = { id: `ord_${ordinal}`, note: MARK, average_price: "178.50" };
  return { id: `evt_${ordinal}`, event: "order.filled", timestamp: new Date().toISOString(), data, ...fields };
}

/** A genuine delivery of an event, of a text, or of bytes. */
export function signed(
  body: object | string | Uint8Array = event(),
  scheme?: SignatureScheme,
  now?: number,
): SignedDelivery {
  return signDelivery({
    secret: SECRET,
    event: body as object,
    ...(scheme === undefined ? {} : { scheme }),
    ...(now === undefined ? {} : { now }),
  });
}

export function isSuccess({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

/** Expects that an answer is a refusal of ours: the code and nothing else. */
export function expectRefusal(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, body: answer.body }).toEqual({ status, body: JSON.stringify({ error: { code } }) });
  expect(answer.headers["content-type"]).toBe("application/json");
  if (status === 503) expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(1);
  if (status === 405) expect(answer.headers.allow).toBe("POST");
}

/** Waits until a condition is true. */
export async function until(condition: () => boolean, what: string, timeoutMs = 5_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A promise, and the function that resolves it. */
export function gate<T = void>(): { readonly opened: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => {};
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
