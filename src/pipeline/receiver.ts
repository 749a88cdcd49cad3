import { pause } from "../deadline.ts";
import { type Delivery, headerLookup, type Reply } from "../delivery.ts";
import { WebhookError } from "../errors.ts";
import type { BluumEvent, EventOf } from "../events/event.ts";
import type { Pattern } from "../events/pattern.ts";
import { PING_TYPE, Router } from "../router/router.ts";
import { isMemoryStore } from "../stores/memory.ts";
import { Accepted } from "./accepted.ts";
import { Claim, type ClaimTerms, takeClaim } from "./claim.ts";
import { diagnose } from "./diagnose.ts";
import { handle } from "./handle.ts";
import { eventKey, handlerKey, type Identity, identify, storeKey } from "./identity.ts";
import { type ThrottledLog, throttledLog } from "./log.ts";
import { type ReceiverOptions, type Settings, settingsOf } from "./options.ts";
import type { DeliveryContext, Outcome } from "./outcome.ts";
import { type Envelope, parseEnvelope, toEvent } from "./parse.ts";
import { replyTo } from "./reply.ts";
import { draftReport, type ReportDraft, reportSender } from "./report.ts";
import { keySource } from "./secrets.ts";
import { type Authentic, type VerifySettings, verify } from "./verify.ts";
import { inProduction, ownStore, warnOfBodyHash, warnOfMemoryStore } from "./warnings.ts";

/** Receives the deliveries of one webhook endpoint. Make one with {@link createReceiver}, at start-up, and share it. */
export interface Receiver {
  /**
   * Verifies, parses and claims one delivery, for middleware: the caller does the work and settles. It never rejects for
   * anything that a sender can cause.
   */
  receive(delivery: Delivery): Promise<Outcome>;
  /** Receives, runs the handlers, settles and makes the answer: all that a `bluumHandler` is. Never rejects. */
  handle(delivery: Delivery): Promise<Reply>;
  /**
   * Registers a handler for a pattern or several: `"order.filled"`, `"order.*"`, `"transfer.deposit.*"`, `"*"`. Handlers
   * that match one event run one after the other, in order of registration.
   *
   * @param options.name under which this handler's success is remembered where several match one event. By default the
   *   patterns and an ordinal; name your handlers if you may reorder them while events are being retried
   * @throws WebhookError `registration_refused` for what is no pattern, for a name that is taken, and once a delivery has been accepted
   */
  on<const P extends string>(
    pattern: Pattern<P> | readonly Pattern<P>[],
    handler: (event: EventOf<P>, context: DeliveryContext) => unknown,
    options?: { readonly name?: string },
  ): Receiver;
  /** The patterns that have handlers: what to subscribe the endpoint to. */
  patterns(): string[];
  /**
   * Drops what is remembered of one event, so that a deliberate replay of it runs again.
   *
   * @returns true where something was known of it
   * @throws WebhookError `configuration_invalid` where the store cannot forget; or what the store throws
   */
  forget(event: { readonly type: string; readonly id: string }): Promise<boolean>;
  /**
   * Refuses new deliveries with 503 `receiver_closed`, waits for running handlers and pending completions, and closes the
   * store if the receiver made it itself.
   *
   * @param options.timeoutMs how long to wait, in milliseconds. @default 30_000
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}

/**
 * Makes a receiver.
 *
 * @example
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });
 * @throws WebhookError `configuration_invalid`, naming the option that cannot work
 */
export function createReceiver(options: ReceiverOptions): Receiver {
  return new WebhookReceiver(settingsOf(options));
}

/** For adapters: a receiver as it is, or one made of bare options. */
export function receiverOf(receiver: Receiver | ReceiverOptions): Receiver {
  return isReceiver(receiver) ? receiver : createReceiver(receiver);
}

function isReceiver(value: Receiver | ReceiverOptions | undefined): value is Receiver {
  return typeof (value as Partial<Receiver> | undefined)?.receive === "function";
}

class WebhookReceiver implements Receiver {
  readonly #settings: Settings;
  readonly #verifySettings: VerifySettings;
  readonly #terms: ClaimTerms;
  readonly #log: ThrottledLog;
  readonly #send: (report: ReportDraft) => void;
  readonly #router = new Router<DeliveryContext>();
  readonly #unfinished = new Set<unknown>();
  /** Requests that were accepted: the same one again (mounted twice) is recognised, though its body is drained. */
  readonly #acceptedRequests = new WeakMap<object, Accepted>();
  #receiving = false;
  readonly #production: boolean = inProduction();
  #closed = false;

  constructor(settings: Settings) {
    const { secret, scheme, secretTimeoutMs, maxBodyBytes, bodyTimeoutMs, now } = settings;
    const keys = keySource(secret, scheme, secretTimeoutMs);
    this.#settings = settings;
    this.#log = throttledLog(settings.logger);
    this.#verifySettings = { scheme, keys, maxBodyBytes, bodyTimeoutMs, now };
    this.#terms = {
      ...settings,
      store: settings.store ?? ownStore(this.#log),
      log: this.#log,
      unfinished: this.#unfinished,
    };
    this.#send = reportSender(settings.observe);
    if (this.#production && isMemoryStore(this.#terms.store)) warnOfMemoryStore(this.#log);
  }

  async receive(delivery: Delivery): Promise<Outcome> {
    const accepted = delivery.request && this.#acceptedRequests.get(delivery.request);
    if (accepted) return accepted;
    const report = draftReport();
    const outcome = await this.#judge(delivery, report).catch((thrown: unknown) =>
      this.#rejected(thrown, delivery, report),
    );
    report.outcome = outcome.kind;
    if (outcome.kind === "in_flight") report.code = "event_in_flight";
    if (outcome instanceof Accepted) {
      if (delivery.request) this.#acceptedRequests.set(delivery.request, outcome);
    } else {
      report.status = replyTo(outcome).status;
      this.#send(report);
    }
    return outcome;
  }

  async handle(delivery: Delivery): Promise<Reply> {
    const outcome = await this.receive(delivery);
    if (!(outcome instanceof Accepted)) return replyTo(outcome);
    this.#receiving = true;
    const { namespace, onUnhandled } = this.#settings;
    // One request, one run of the handlers, however often it is mounted.
    outcome.answer ??= handle(outcome, { router: this.#router, terms: this.#terms, namespace, onUnhandled });
    return outcome.answer;
  }

  on<const P extends string>(
    pattern: Pattern<P> | readonly Pattern<P>[],
    handler: (event: EventOf<P>, context: DeliveryContext) => unknown,
    options: { readonly name?: string } = {},
  ): Receiver {
    if (this.#receiving) {
      throw new WebhookError(
        "registration_refused",
        "on() was called after the first delivery: an event before it would have missed this handler. Register at start-up",
      );
    }
    this.#router.on(pattern, handler as (event: BluumEvent, context: DeliveryContext) => unknown, options.name);
    return this;
  }

  patterns(): string[] {
    return this.#router.patterns();
  }

  async forget({ type, id }: { readonly type: string; readonly id: string }): Promise<boolean> {
    const { store } = this.#terms;
    if (store.forget === undefined) throw new WebhookError("configuration_invalid", "store has no method forget");
    const key = storeKey(this.#settings.namespace, eventKey(type, id));
    const keys = [key, ...this.#router.matching(type).map(({ name }) => handlerKey(key, name))];
    let known = false;
    for (const each of keys) known = (await store.forget(each)) || known;
    return known;
  }

  async close({ timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closed = true;
    const until = performance.now() + timeoutMs;
    while (this.#unfinished.size > 0 && performance.now() < until) {
      // Not unref'd: it waits for work that must not be cut off.
      await pause(Math.min(10, timeoutMs));
    }
    if (this.#settings.store === undefined) await this.#terms.store.close?.();
  }

  /** The whole way of a delivery: verify, parse, identify, claim. */
  async #judge(delivery: Delivery, report: ReportDraft): Promise<Outcome> {
    this.#refuseIfClosed();
    const receivedAt = new Date(this.#settings.now());
    const authentic = await verify(delivery, headerLookup(delivery.headers), this.#verifySettings, report);
    const envelope = parseEnvelope(authentic.rawBody, this.#settings.parseJson);
    report.type = envelope.type;
    if (envelope.type === PING_TYPE) return { kind: "ping" };
    this.#checkAge(envelope);
    const { rawBody, verified } = authentic;
    const identity = identify({ ...envelope, rawBody, messageId: verified.messageId }, this.#settings.eventId);
    return this.#claim(envelope, identity, authentic, receivedAt, report);
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new WebhookError("receiver_closed", "the receiver is closing");
  }

  /** A captured delivery under a scheme that signs no time would be valid for ever, and new again after the retention. */
  #checkAge({ occurredAt }: Envelope): void {
    const { scheme, now, maxEventAgeMs } = this.#settings;
    if (scheme.signsTimestamp || occurredAt === undefined) return;
    if (now() - occurredAt.getTime() > maxEventAgeMs) {
      throw new WebhookError("event_too_old", `the event happened longer ago than maxEventAgeMs (${maxEventAgeMs})`);
    }
  }

  async #claim(
    envelope: Envelope,
    identity: Identity,
    authentic: Authentic,
    receivedAt: Date,
    report: ReportDraft,
  ): Promise<Outcome> {
    Object.assign(report, { eventId: identity.id, identifiedBy: identity.identifiedBy });
    if (this.#production && identity.identifiedBy === "body_hash") warnOfBodyHash(this.#log);
    const key = eventKey(envelope.type, identity.id);
    const claim = await this.#takeOrGoWithout(storeKey(this.#settings.namespace, key), report);
    if (claim.status === "completed") return { kind: "duplicate", eventId: identity.id };
    if (claim.status === "in_flight")
      return { kind: "in_flight", eventId: identity.id, retryAfterMs: claim.remainingMs };
    const context = {
      eventId: identity.id,
      eventKey: key,
      identifiedBy: identity.identifiedBy,
      rawBody: authentic.rawBody,
      receivedAt,
      secretIndex: authentic.verified.secretIndex,
      deduplicated: claim.held,
    };
    return new Accepted({
      event: toEvent(envelope, identity.id),
      context,
      claim,
      report,
      send: this.#send,
      log: this.#log,
    });
  }

  async #takeOrGoWithout(key: string, report: ReportDraft): ReturnType<typeof takeClaim> {
    // The body may have taken its time.
    this.#refuseIfClosed();
    const started = performance.now();
    this.#unfinished.add(report);
    try {
      return await takeClaim(key, this.#terms);
    } catch (cause) {
      if (this.#settings.onStoreError === "reject")
        throw new WebhookError("store_unavailable", "the store failed at the claim", { cause });
      this.#log.error(
        "store_unavailable",
        "the store failed at the claim; the event is processed all the same and may run twice",
        cause,
      );
      return Claim.withoutStore(key, this.#terms);
    } finally {
      this.#unfinished.delete(report);
      report.claimMs = performance.now() - started;
    }
  }

  #rejected(thrown: unknown, delivery: Delivery, report: ReportDraft): Outcome {
    // Anything but a WebhookError is a fault of a part that the user plugged in, such as a scheme of their own.
    const error =
      thrown instanceof WebhookError
        ? thrown
        : new WebhookError("handler_failed", "the receiver failed unexpectedly", { cause: thrown });
    report.code = error.code;
    report.error = error;
    this.#logRejection(error, delivery);
    return { kind: "rejected", error };
  }

  #logRejection(error: WebhookError, delivery: Delivery): void {
    if (error.code === "method_not_allowed" || error.code === "receiver_closed") return;
    const message = () => diagnose(error, delivery, this.#settings.scheme);
    const ours = replyTo({ kind: "rejected", error }).status >= 500;
    if (ours) this.#log.error(error.code, message, error.cause);
    else this.#log.warn(error.code, message);
  }
}
