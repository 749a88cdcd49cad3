import { type MaybePromise, sleep } from "../async.ts";
import { claimsToBeProbe, type Delivery, type Reply } from "../delivery.ts";
import { WebhookError } from "../errors.ts";
import type { BluumEvent, EventOf } from "../events/event.ts";
import type { Pattern } from "../events/pattern.ts";
import type { InboxAttempt, InboxWorker } from "../inbox/inbox.ts";
import { Router } from "../router/router.ts";
import { diagnose } from "../schemes/diagnosis.ts";
import type { DedupeStore } from "../stores/store.ts";
import { guarded } from "../telemetry/guard.ts";
import type { ReceiverTelemetry, ReceivingTelemetry } from "../telemetry/telemetry.ts";
import { Accepted } from "./accepted.ts";
import { Admission, type Admitted, type Arrival } from "./admission.ts";
import { Claims } from "./claims.ts";
import { deadlineOf, refuseIfTooLate } from "./deadline.ts";
import { dispatch } from "./dispatch.ts";
import { eventKey, handlerKey, storeKey } from "./identity.ts";
import { InboxWriter } from "./inbox-writer.ts";
import { type ThrottledLog, throttledLog } from "./log.ts";
import { type ReceiverOptions, type Settings, settingsOf } from "./options.ts";
import type { DeliveryContext, Outcome, PingOutcome, RejectedOutcome } from "./outcome.ts";
import { ownStore, warnOfMemoryStore } from "./own-store.ts";
import type { HandlingSettings, Run } from "./process.ts";
import type { Receiver } from "./receiver-api.ts";
import { replyTo, statusOf } from "./reply.ts";
import { recorderFor, reported } from "./report.ts";
import { acceptedBefore, noteAccepted } from "./seen-requests.ts";
import { CLOSE_MS, timerMs, Workers } from "./workers.ts";

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

/** Whether a receiver has an inbox. */
export function hasInbox(receiver: Receiver): boolean {
  return WebhookReceiver.hasInbox(receiver);
}

/** How long closing waits in addition for handlers whose claims are to be released, in milliseconds. */
const RELEASE_MS = 1_000;

const HANDLERS_UNKNOWN =
  "with an inbox, forget() needs the handlers, or their success would not be forgotten: call it in a process that registers them";

/** Without an inbox the provider's deliveries are the attempts, and it does not number them. */
const ONLY_ATTEMPT: InboxAttempt = { number: 1, of: 1 };

class WebhookReceiver implements Receiver {
  readonly #settings: Settings;
  readonly #store: DedupeStore;
  readonly #admission: Admission;
  readonly #claims: Claims;
  readonly #inbox: InboxWriter | undefined;
  readonly #telemetry: ReceiverTelemetry | undefined;
  readonly #log: ThrottledLog;
  readonly #router = new Router<DeliveryContext>();
  readonly #handling: HandlingSettings;
  readonly #workers: Workers;
  /** Whether handlers may be missed by an event if they are registered from here on. */
  #started = false;
  #closed = false;

  constructor(settings: Settings) {
    const production = inProduction();
    const log = throttledLog(settings.logger);
    const store = settings.store ?? settings.inbox?.store ?? ownStore(log);
    this.#settings = settings;
    this.#log = log;
    this.#store = store;
    this.#admission = new Admission(settings, log, production);
    this.#claims = new Claims(store, settings, log);
    this.#inbox = settings.inbox && new InboxWriter(settings.inbox, settings);
    this.#telemetry =
      settings.telemetry && guarded(settings.telemetry.start({ namespace: settings.namespace, inbox: settings.inbox }));
    const { onUnhandled, namespace, parseJson } = settings;
    this.#handling = {
      router: this.#router,
      onUnhandled,
      namespace,
      parseJson,
      claims: this.#claims.settings,
      telemetry: this.#telemetry,
    };
    this.#workers = new Workers(settings, this.#handling);
    if (production && store.shared === false) warnOfMemoryStore(log);
  }

  static hasInbox(receiver: object): boolean {
    return #settings in receiver && receiver.#settings.inbox !== undefined;
  }

  async receive(delivery: Delivery): Promise<Outcome> {
    if (this.#settings.inbox !== undefined)
      throw new WebhookError(
        "configuration_invalid",
        "receive() needs a receiver without an inbox; with one use handle()",
      );
    return this.#outcomeOf(delivery);
  }

  async handle(delivery: Delivery): Promise<Reply> {
    const inbox = this.#inbox;
    if (inbox !== undefined) {
      const answer = await this.#judge(delivery, (admitted, arrival) => inbox.store(admitted, arrival));
      return "kind" in answer ? replyTo(answer) : answer;
    }
    const outcome = await this.#outcomeOf(delivery);
    if (!(outcome instanceof Accepted)) return replyTo(outcome);
    this.#started = true;
    return outcome.replyOnce(() => dispatch(outcome, this.#handling));
  }

  on<const P extends string>(
    pattern: Pattern<P> | readonly Pattern<P>[],
    handler: (event: EventOf<P>, context: DeliveryContext) => unknown,
    options: { readonly name?: string } = {},
  ): Receiver {
    if (this.#started) {
      throw new WebhookError(
        "registration_refused",
        "on() was called after the first delivery, or after work(): an event before it would have missed this handler. Register at start-up",
      );
    }
    this.#router.on(pattern, handler as (event: BluumEvent, context: DeliveryContext) => unknown, options.name);
    return this;
  }

  patterns(): string[] {
    return this.#router.patterns();
  }

  work(options: { readonly concurrency?: number; readonly pollMs?: number } = {}): InboxWorker {
    const { inbox } = this.#settings;
    if (inbox === undefined) throw new WebhookError("configuration_invalid", "work() needs the option inbox");
    // Nobody would close that worker.
    this.#refuseIfClosed();
    if (this.#router.empty)
      throw new WebhookError("configuration_invalid", "work() needs handlers: call receiver.on(...) before it");
    this.#started = true;
    return this.#workers.start(inbox, options);
  }

  async process(message: unknown, { attempt = ONLY_ATTEMPT, signal }: Partial<Run> = {}): Promise<void> {
    this.#started = true;
    await this.#workers.process(message, { attempt, signal });
  }

  async forget({ type, id }: { readonly type: string; readonly id: string }): Promise<boolean> {
    if (this.#inbox !== undefined && this.#router.empty)
      throw new WebhookError("configuration_invalid", HANDLERS_UNKNOWN);
    const stores = new Set([this.#store, this.#settings.inbox?.store ?? this.#store]);
    const key = storeKey(this.#settings.namespace, eventKey(type, id));
    const keys = [key, ...this.#router.matching(type).map(({ name }) => handlerKey(key, name))];
    let known = false;
    for (const store of stores) {
      if (store.forget === undefined) throw new WebhookError("configuration_invalid", "store has no method forget");
      for (const each of keys) known = (await store.forget(each)) || known;
    }
    return known;
  }

  async close({ timeoutMs = CLOSE_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    const mostMs = timerMs(timeoutMs);
    this.#closed = true;
    const until = performance.now() + mostMs;
    await this.#workers.close(mostMs);
    while (this.#busy && performance.now() < until) await sleep(Math.min(10, mostMs));
    // Handlers that obey their signal need a moment to release their claims: otherwise the next worker waits for the lease.
    const graceUntil = performance.now() + RELEASE_MS;
    while (this.#workers.busy && performance.now() < graceUntil) await sleep(10);
    this.#telemetry?.close?.();
    this.#log.flush();
    if (this.#settings.store === undefined && this.#settings.inbox === undefined) await this.#store.close?.();
  }

  get #busy(): boolean {
    return this.#claims.busy || this.#inbox?.busy === true || this.#workers.busy;
  }

  /** The same outcome again for a request that passed this receiver before. */
  #outcomeOf(delivery: Delivery): MaybePromise<Outcome> {
    const before = acceptedBefore(delivery?.request, this);
    return before ?? this.#judge(delivery, (admitted, arrival) => this.#accept(admitted, arrival));
  }

  /** Admits a delivery and does what is next, inside telemetry if there is any. */
  #judge<Answer>(
    delivery: Delivery,
    next: (admitted: Admitted, arrival: Arrival) => Promise<Answer>,
  ): Promise<Answer | PingOutcome | RejectedOutcome> {
    const receiving = this.#telemetry?.receiving(delivery);
    if (receiving === undefined) return this.#admit(delivery, next, undefined);
    return receiving.within(() => this.#admit(delivery, next, receiving));
  }

  /** Whatever goes wrong is a rejection, which is logged and reported. */
  async #admit<Answer>(
    delivery: Delivery,
    next: (admitted: Admitted, arrival: Arrival) => Promise<Answer>,
    receiving: ReceivingTelemetry | undefined,
  ): Promise<Answer | PingOutcome | RejectedOutcome> {
    const report = recorderFor(this.#settings.observe, receiving);
    try {
      this.#refuseIfClosed();
      if (claimsToBeProbe(delivery.headers)) report.add({ probe: true });
      const deadline = deadlineOf(delivery);
      const admitted = await this.#admission.admit(delivery, report);
      if (admitted === "ping") return reported({ kind: "ping" }, report);
      this.#refuseIfClosed();
      refuseIfTooLate(deadline);
      return await next(admitted, { delivery, deadline, report, receiving });
    } catch (thrown) {
      const outcome = this.#reject(thrown, delivery);
      report.add({ code: outcome.error.code, error: outcome.error });
      return reported(outcome, report);
    }
  }

  /** Claims the event: what is accepted waits for its caller to settle. */
  async #accept(admitted: Admitted, arrival: Arrival): Promise<Outcome> {
    const { event, eventKey, storeKey, identifiedBy, retentionMs, rawBody, receivedAt, secretIndex } = admitted;
    const { delivery, deadline, report } = arrival;
    const { id: eventId } = event;
    const claim = await this.#claims.claim(storeKey, { delivery, deadline, retentionMs });
    report.lap("claimMs");
    if (claim.status === "completed") return reported({ kind: "duplicate", eventId }, report);
    if (claim.status === "in_flight")
      return reported({ kind: "in_flight", eventId, retryAfterMs: claim.remainingMs }, report);

    const { headers, request } = delivery;
    const facts = { eventId, eventKey, identifiedBy, rawBody, receivedAt, secretIndex, headers, attempt: ONLY_ATTEMPT };
    const accepted = new Accepted(event, facts, claim, arrival);
    noteAccepted(request, this, accepted);
    return accepted;
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new WebhookError("receiver_closed", "the receiver is closing");
  }

  /** Anything but a WebhookError is a fault of ours, or of a part that the user plugged in, such as a scheme. */
  #reject(thrown: unknown, delivery: Delivery): RejectedOutcome {
    const error =
      thrown instanceof WebhookError
        ? thrown
        : new WebhookError("receiver_failed", "the receiver failed unexpectedly", { cause: thrown });
    this.#logRejection(error, delivery);
    return { kind: "rejected", error };
  }

  #logRejection(error: WebhookError, delivery: Delivery): void {
    if (error.code === "method_not_allowed" || error.code === "receiver_closed") return;
    const probe = isProbe(delivery);
    // Probes have a topic of their own, so that they take no line from real deliveries.
    const topic = probe ? `${error.code} (probe)` : error.code;
    const message = () => diagnose(error, delivery, this.#settings.scheme, probe);
    const ours = statusOf({ kind: "rejected", error }) >= 500;
    if (ours) this.#log.error(topic, message, error.cause);
    else this.#log.warn(topic, message);
  }
}

function isProbe(delivery: Delivery): boolean {
  try {
    return claimsToBeProbe(delivery.headers);
  } catch {
    // A custom adapter may pass anything.
    return false;
  }
}

/** Whether NODE_ENV is production, where some defaults deserve a warning. */
function inProduction(): boolean {
  try {
    return process.env.NODE_ENV === "production";
  } catch {
    // A runtime without `process`, or without permission to read its environment.
    return false;
  }
}
