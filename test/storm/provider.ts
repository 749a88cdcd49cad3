import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { randomFrom } from "../../src/sandbox/random.ts";
import { type SignedDelivery, signDelivery } from "../../src/testing/sign.ts";
import { between, type PlannedEvent } from "./plan.ts";

/** One attempt of the provider, and its answer. Times are epoch milliseconds. */
export interface Attempt {
  readonly delivery: string;
  readonly eventId: string;
  readonly sentAt: number;
  readonly answeredAt: number;
  /** `processed`, `duplicate`, an error code; or `refused`, `cut off` or `timed out` without an answer. */
  readonly answer: string;
  readonly acknowledged: boolean;
}

/** Picks a receiver as a load balancer does, running or not. */
type PortOf = (chance: number) => number;

export interface ProviderOptions {
  readonly secret: string;
  readonly seed: number;
  readonly portOf: PortOf;
  readonly signal: AbortSignal;
}

/**
 * Bluum's retry delays, scaled down: from a tenth of a lease to several leases. The last one is repeated, so that the provider never
 * gives up and a missing event is a lost one.
 */
const SCHEDULE_MS = [
  [60, 200],
  [250, 450],
  [500, 800],
  [900, 1_300],
  [1_000, 1_600],
  [2_000, 4_000],
] as const;
const TIMEOUT_MS = 2_500;

/** Bluum as receivers see it: it delivers until it gets a 2xx. */
export class Provider {
  readonly attempts: Attempt[] = [];
  readonly #options: ProviderOptions;
  readonly #random: () => number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  #pending = 0;
  #sent = 0;

  constructor(options: ProviderOptions) {
    this.#options = options;
    this.#random = randomFrom(options.seed ^ 0x5eed);
  }

  /** How many deliveries, each with its retries, are not acknowledged yet. */
  get pending(): number {
    return this.#pending;
  }

  /** Sends every event and its duplicates as planned. Resolves once all are acknowledged, or when the signal aborts. */
  async send(events: readonly PlannedEvent[], startedAt: number): Promise<void> {
    await Promise.all(
      events.flatMap((event) => {
        const signed = signDelivery({ secret: this.#options.secret, event: event.body });
        return event.sentAtMs.map((atMs) => this.#deliver(event, signed, startedAt + atMs));
      }),
    );
  }

  /** Sends every event once more, some at a time: none may run again. */
  async replay(events: readonly PlannedEvent[]): Promise<void> {
    const left = [...events];
    const line = async () => {
      for (let event = left.pop(); event && !this.#options.signal.aborted; event = left.pop()) {
        await this.#deliver(event, signDelivery({ secret: this.#options.secret, event: event.body }), 0);
      }
    };
    await Promise.all(Array.from({ length: 16 }, line));
  }

  close(): void {
    this.#agent.destroy();
  }

  async #deliver(event: PlannedEvent, signed: SignedDelivery<string>, at: number): Promise<void> {
    this.#pending += 1;
    await this.#wait(at - Date.now());
    for (let tried = 0; !this.#options.signal.aborted; tried += 1) {
      if (await this.#attempt(event, signed)) {
        this.#pending -= 1;
        return;
      }
      const [least, most] = SCHEDULE_MS[Math.min(tried, SCHEDULE_MS.length - 1)] ?? [0, 0];
      await this.#wait(between(this.#random, least, most));
    }
  }

  async #wait(ms: number): Promise<void> {
    if (ms > 0) await pause(ms, undefined, { signal: this.#options.signal }).catch(() => {});
  }

  async #attempt({ id, faults }: PlannedEvent, signed: SignedDelivery<string>): Promise<boolean> {
    const sentAt = Date.now();
    this.#sent += 1;
    const delivery = `d${this.#sent}`;
    const headers = { ...signed.headers, "x-storm-delivery": delivery, "x-storm-faults": JSON.stringify(faults) };
    const { status, answer } = await this.#post(headers, signed.body);
    const acknowledged = status >= 200 && status < 300;
    this.attempts.push({
      delivery,
      eventId: id,
      sentAt,
      answeredAt: Date.now(),
      answer,
      acknowledged,
    });
    return acknowledged;
  }

  #post(headers: Record<string, string>, body: string): Promise<Reply> {
    return new Promise((resolve) => {
      const without = (answer: string) => () => resolve({ status: 0, answer });
      const port = this.#options.portOf(this.#random());
      const sent = request({ host: "127.0.0.1", port, method: "POST", agent: this.#agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => resolve(replyOf(response.statusCode ?? 0, Buffer.concat(chunks).toString())));
        response.on("close", without("cut off"));
      });
      const late = setTimeout(() => {
        without("timed out")();
        sent.destroy();
      }, TIMEOUT_MS);
      sent.on("error", ({ code }: NodeJS.ErrnoException) => without(code === "ECONNREFUSED" ? "refused" : "cut off")());
      sent.on("close", () => {
        clearTimeout(late);
        without("cut off")();
      });
      sent.end(body);
    });
  }
}

/** Status 0 without a complete answer. */
interface Reply {
  readonly status: number;
  readonly answer: string;
}

function replyOf(status: number, body: string): Reply {
  const { duplicate, error } = JSON.parse(body) as { duplicate?: boolean; error?: { code: string } };
  return { status, answer: error?.code ?? (duplicate ? "duplicate" : "processed") };
}
