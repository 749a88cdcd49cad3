import { expect } from "vitest";
import { type BluumEvent, createReceiver, type Receiver, type ReceiverOptions } from "../../../src/index.ts";
import { signDelivery } from "../../../src/testing/index.ts";
import type { Answer, Endpoint, Sending } from "./sender.ts";
import { event, expectRefusal, isSuccess, SECRET, signed } from "./trial.ts";

/** An app under test, as its test file builds it. */
export interface Mounting {
  readonly receiver: Receiver;
  /** The app calls it with the event, and with the body that the app's own code gets. */
  readonly reached: (event: BluumEvent, body?: unknown) => void;
}

export interface MountOptions {
  readonly contentType?: string;
  readonly chunkBytes?: number;
  /** The remedy that the log must name for a body that was read already. */
  readonly remedy?: string;
  readonly send?: (endpoint: Endpoint, sending: Sending) => Promise<Answer>;
}

/** A body that changes if it is parsed and printed, or read in another encoding. */
function body(): string {
  return `{ "event" : "order.filled" , "id" : "${event().id}", "data": {"amount":10.00,"b":"\\u00e9\u00e9$&","1":1,"0":0} }`;
}

/** Expects that the receiver gets the true bytes in this mount: genuine deliveries reach the app once, forged ones never. */
export async function expectTrueBytes(
  start: (app: Mounting) => Promise<Endpoint>,
  options: MountOptions = {},
): Promise<void> {
  await withMount(start, options, async ({ send, reached, bodies }) => {
    const text = body();
    const delivery = signed(text);
    expect(await send(delivery)).toSatisfy(isSuccess);
    expect(await send(delivery)).toMatchObject({ status: 200, body: '{"received":true,"duplicate":true}' });
    expect(reached.map(({ payload }) => payload)).toEqual([JSON.parse(text)]);
    for (const seen of bodies) expect(seen).toEqual(JSON.parse(text));
    expectRefusal(await send({ ...delivery, body: text.replace("10.00", "10") }), 401, "signature_mismatch");
    expectRefusal(
      await send(signDelivery({ secret: "a-guess-of-the-secret-0123456789", event: body() })),
      401,
      "signature_mismatch",
    );
    expect(reached).toHaveLength(1);
  });
}

/** Expects body_already_parsed at once, since something else reads the body before the receiver in this mount. */
export async function expectAlreadyParsed(
  start: (app: Mounting) => Promise<Endpoint>,
  options: MountOptions = {},
): Promise<void> {
  await withMount(start, options, async ({ send, reached, log }) => {
    const before = performance.now();
    expectRefusal(await send(signed(body())), 500, "body_already_parsed");
    expectRefusal(await send(signed(event())), 500, "body_already_parsed");
    expect(performance.now() - before).toBeLessThan(2_000);
    // Checks that need no body still come first.
    expectRefusal(
      await send({ headers: { "content-type": "application/json" }, body: body() }),
      401,
      "signature_missing",
    );
    expect(reached).toEqual([]);
    expect(log.join("\n")).toContain("mount the receiver before");
    if (options.remedy !== undefined) expect(log.join("\n")).toContain(options.remedy);
  });
}

interface Tried {
  readonly send: (sending: Sending) => Promise<Answer>;
  readonly reached: readonly BluumEvent[];
  readonly bodies: readonly unknown[];
  readonly log: readonly string[];
}

async function withMount(
  start: (app: Mounting) => Promise<Endpoint>,
  options: MountOptions,
  run: (tried: Tried) => Promise<void>,
): Promise<void> {
  const reached: BluumEvent[] = [];
  const bodies: unknown[] = [];
  const log: string[] = [];
  const receiver = quietReceiver({ logger: { warn: (line) => log.push(line), error: (line) => log.push(line) } });
  const note = (event: BluumEvent, seen?: unknown) => {
    reached.push(event);
    if (seen !== undefined) bodies.push(seen);
  };
  const endpoint = await start({ receiver, reached: note });
  const { contentType = "application/json", chunkBytes, send = (to, sending) => to.send(sending) } = options;
  const withHeaders = (sending: Sending): Sending => ({
    ...sending,
    headers: { ...sending.headers, "content-type": contentType },
    ...(chunkBytes === undefined ? {} : { chunkBytes }),
  });
  try {
    await run({ send: (sending) => send(endpoint, withHeaders(sending)), reached, bodies, log });
  } finally {
    await endpoint.close();
  }
}

/** A receiver with the common secret that logs nothing. */
export function quietReceiver(options: Partial<ReceiverOptions> = {}): Receiver {
  return createReceiver({ secret: SECRET, logger: false, ...options });
}
