import { sleep } from "../async.ts";
import { claimsToBeProbe, type Delivery, type Reply } from "../delivery.ts";
import { WebhookError } from "../errors.ts";
import type { BluumEvent, EventOf } from "../events/event.ts";
import type { Pattern } from "../events/pattern.ts";
import type { InboxAttempt, InboxWorker, ParkedNotice } from "../inbox/inbox.ts";
import { Router } from "../router/router.ts";
import { diagnose } from "../schemes/diagnosis.ts";
import { memoryStore } from "../stores/memory.ts";
import type { DedupeStore } from "../stores/store.ts";
import { guarded } from "../telemetry/guard.ts";
import type { ReceiverTelemetry, ReceivingTelemetry } from "../telemetry/telemetry.ts";
import { Accepted } from "./accepted.ts";
import { Admission, type Admitted } from "./admission.ts";
import { retentionOf } from "./age.ts";
import type { Arrival } from "./arrival.ts";
import { Claims } from "./claims.ts";
import { deadlineOf, refuseIfTooLate } from "./deadline.ts";
import { dispatch } from "./dispatch.ts";
import { eventKey, handlerKey, storeKey } from "./identity.ts";
import { InboxWriter } from "./inbox-writer.ts";
import { quoted, type ThrottledLog, throttledLog } from "./log.ts";
import { type ReceiverOptions, type Settings, settingsOf } from "./options.ts";
import type { DeliveryContext, Outcome, PingOutcome, RejectedOutcome } from "./outcome.ts";
import { toEvent } from "./parse.ts";
import { processMessage, type Run } from "./process.ts";
import { replyTo, statusOf } from "./reply.ts";
import { type DeliveryReport, ReportRecorder } from "./report.ts";
import { reported } from "./reported.ts";
import { acceptedBefore, noteAccepted } from "./seen-requests.ts";

/** Receives the deliveries of one webhook endpoint. Make one with {@link createReceiver}, at start-up, and share it. */
export interface Receiver {
  /**
   * Verifies, parses and claims one delivery, for middleware: the caller does the work and settles. It never rejects for
   * anything that a sender can cause.
   *
   * @throws WebhookError `configuration_invalid` with the option `inbox`: then handlers do the work, see `handle`
   */
  receive(delivery: Delivery): Promise<Outcome>;
  /**
   * Receives, runs the handlers, settles and makes the reply, as `bluumHandler` does; with the option `inbox` it stores the event
   * instead of running the handlers. Never rejects.
   */
  handle(delivery: Delivery): Promise<Reply>;
  /**
   * Registers a handler for a pattern or several: `"order.filled"`, `"order.*"`, `"transfer.deposit.*"`, `"*"`. Handlers
   * that match one event run one after the other, in order of registration.
   *
   * @param options.name under which this handler's success is remembered where several match one event. By default the
   *   patterns and an ordinal; name your handlers if you may reorder them while events are being retried
   * @throws WebhookError `registration_refused` for an invalid pattern, for a name that is taken, and after the first delivery
   */
  on<const P extends string>(
    pattern: Pattern<P> | readonly Pattern<P>[],
    handler: (event: EventOf<P>, context: DeliveryContext) => unknown,
    options?: { readonly name?: string },
  ): Receiver;
  /** The patterns that have handlers: what to subscribe the endpoint to. */
  patterns(): string[];
  /**
   * Starts a worker that runs the handlers of the events in the inbox: here, or in another process with the same inbox, namespace and
   * handlers. `close` of the receiver closes it, too.
   *
   * @param options.concurrency how many events are processed at once. @default 10
   * @param options.pollMs how often to look for events that another process stored, in milliseconds, in inboxes that are not told of
   *   them. @default 1_000
   * @throws WebhookError `configuration_invalid` without the option `inbox`, or before any handler is registered; `receiver_closed`
   *   after `close`
   */
  work(options?: { readonly concurrency?: number; readonly pollMs?: number }): InboxWorker;
  /**
   * Runs the handlers of one stored event, for a worker of your own: see `bluum-webhooks/inbox/queue`. Each handler's success is
   * remembered: a message that is delivered twice runs no handler twice.
   *
   * @param message what `add` of the inbox was given, as an object
   * @param run.attempt what handlers see as `context.attempt`. @default 1 of 1
   * @param run.signal aborts `context.signal`, too; no further handler is started then
   * @throws what the handler threw, or a WebhookError; then the event is not processed, and your queue delivers the message again. A
   *   `ParkEvent` asks to park it at once
   */
  process(message: unknown, run?: { readonly attempt?: InboxAttempt; readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Forgets one event and the success of its handlers, so that a deliberate replay of it runs again. With an inbox, call it where the
   * handlers are registered.
   *
   * @returns true where the store knew the event
   * @throws WebhookError `configuration_invalid` where the store cannot forget, and with an inbox where no handler is registered; or what
   *   the store throws
   */
  forget(event: { readonly type: string; readonly id: string }): Promise<boolean>;
  /**
   * Refuses new deliveries with 503 `receiver_closed`, waits for running handlers and pending completions, and closes the
   * store if the receiver made it itself.
   *
   * @param options.timeoutMs how long to wait, in milliseconds. @default 30_000
   * @throws WebhookError `configuration_invalid` where that is not a number
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

/**
 * For adapters: a receiver whose caller does the work.
 *
 * @throws WebhookError `configuration_invalid` for one with an inbox
 */
export function middlewareReceiverOf(receiver: Receiver | ReceiverOptions): Receiver {
  const made = receiverOf(receiver);
  if (WebhookReceiver.hasInbox(made)) throw noMiddleware();
  return made;
}

function noMiddleware(): WebhookError {
  return new WebhookError(
    "configuration_invalid",
    "bluumWebhooks runs your route before the reply, so it needs a receiver without an inbox; with an inbox register handlers with receiver.on(...) and mount bluumHandler(receiver)",
  );
}

function handlersUnknown(): WebhookError {
  return new WebhookError(
    "configuration_invalid",
    "with an inbox, forget() needs the handlers, or their success would not be forgotten: call it in a process that registers them",
  );
}

function isReceiver(value: Receiver | ReceiverOptions | undefined): value is Receiver {
  return typeof (value as Partial<Receiver> | undefined)?.receive === "function";
}

/** Without an inbox the provider's deliveries are the attempts, and it does not number them. */
const ONLY_ATTEMPT: InboxAttempt = { number: 1, of: 1 };

/** How long closing waits unless it is told, in milliseconds. */
const CLOSE_MS = 30_000;
/** The longest that a timer can wait, in milliseconds: some 25 days. A longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A time to wait as timers and inboxes take it: whole, and not too long. */
function timerMs(timeoutMs: unknown): number {
  if (typeof timeoutMs !== "number" || Number.isNaN(timeoutMs))
    throw new WebhookError("configuration_invalid", "timeoutMs must be a number of milliseconds");
  return Math.ceil(Math.min(Math.max(0, timeoutMs), LONGEST_TIMER_MS));
}

class WebhookReceiver implements Receiver {
  readonly #settings: Settings;
  readonly #store: DedupeStore;
  readonly #admission: Admission;
  readonly #claims: Claims;
  readonly #inbox: InboxWriter | undefined;
  readonly #telemetry: ReceiverTelemetry | undefined;
  readonly #log: ThrottledLog;
  readonly #router = new Router<DeliveryContext>();
  readonly #workers = new Set<InboxWorker>();
  /** How many stored events are being processed. */
  #processing = 0;
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
    if (production && store.shared === false) warnOfMemoryStore(log);
  }

  /** Whether a receiver has an inbox. */
  static hasInbox(receiver: object): boolean {
    return #settings in receiver && receiver.#settings.inbox !== undefined;
  }

  async receive(delivery: Delivery): Promise<Outcome> {
    if (this.#settings.inbox !== undefined) throw noMiddleware();
    const before = acceptedBefore(delivery?.request, this);
    return before ?? this.#judge(delivery, (admitted, arrival) => this.#accept(admitted, arrival));
  }

  async handle(delivery: Delivery): Promise<Reply> {
    const inbox = this.#inbox;
    if (inbox !== undefined) {
      const answer = await this.#judge(delivery, (admitted, arrival) => inbox.store(admitted, arrival));
      return "kind" in answer ? replyTo(answer) : answer;
    }
    const outcome = await this.receive(delivery);
    if (!(outcome instanceof Accepted)) return replyTo(outcome);
    this.#started = true;
    const settings = {
      router: this.#router,
      onUnhandled: this.#settings.onUnhandled,
      telemetry: this.#telemetry,
    };
    return outcome.replyOnce(() => dispatch(outcome, settings));
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

  work({ concurrency, pollMs }: { readonly concurrency?: number; readonly pollMs?: number } = {}): InboxWorker {
    const { inbox, maxProcessingMs, leaseMs } = this.#settings;
    if (inbox === undefined) throw new WebhookError("configuration_invalid", "work() needs the option inbox");
    // Nobody would close that worker.
    this.#refuseIfClosed();
    if (this.#router.empty)
      throw new WebhookError("configuration_invalid", "work() needs handlers: call receiver.on(...) before it");
    this.#started = true;
    const givenBack = new AbortController();
    const run = { detached: true, signal: givenBack.signal };
    const started = inbox.work((message, attempt) => this.#process(message, { attempt, ...run }), {
      ...(concurrency !== undefined && { concurrency }),
      ...(pollMs !== undefined && { pollMs }),
      maxProcessingMs: maxProcessingMs + 3 * leaseMs,
      onParked: (parked) => this.#tellOfParked(parked),
      onError: (error) => this.#logWorkerError(error),
    });
    const worker: InboxWorker = {
      close: async ({ timeoutMs = CLOSE_MS } = {}) => {
        this.#workers.delete(worker);
        await started.close({ timeoutMs: timerMs(timeoutMs) });
        // What still runs was given back: another worker runs it.
        givenBack.abort(new WebhookError("receiver_closed", "the worker was closed before the event was done"));
      },
    };
    this.#workers.add(worker);
    return worker;
  }

  async process(message: unknown, { attempt = ONLY_ATTEMPT, signal }: Partial<Run> = {}): Promise<void> {
    await this.#process(message, { attempt, signal });
  }

  async #process(message: unknown, run: Run): Promise<void> {
    this.#started = true;
    const { onUnhandled, namespace, parseJson } = this.#settings;
    const settings = {
      router: this.#router,
      onUnhandled,
      namespace,
      parseJson,
      claims: this.#claims.settings,
      telemetry: this.#telemetry,
    };
    this.#processing += 1;
    try {
      await processMessage(message, run, settings, this.#recorder(this.#telemetry));
    } finally {
      this.#processing -= 1;
    }
  }

  async forget({ type, id }: { readonly type: string; readonly id: string }): Promise<boolean> {
    if (this.#inbox !== undefined && this.#router.empty) throw handlersUnknown();
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
    timerMs(timeoutMs);
    this.#closed = true;
    const until = performance.now() + timeoutMs;
    await Promise.all([...this.#workers].map((worker) => worker.close({ timeoutMs })));
    while (this.#busy && performance.now() < until) await sleep(Math.min(10, timeoutMs));
    this.#telemetry?.close?.();
    this.#log.flush();
    if (this.#settings.store === undefined && this.#settings.inbox === undefined) await this.#store.close?.();
  }

  get #busy(): boolean {
    return this.#claims.busy || this.#inbox?.busy === true || this.#processing > 0;
  }

  /** Records the report of a delivery or a run, for the option `observe` and for telemetry. */
  #recorder(telemetry: { report(report: DeliveryReport): void } | undefined): ReportRecorder {
    const { observe } = this.#settings;
    if (telemetry === undefined) return new ReportRecorder(observe);
    return new ReportRecorder((report) => {
      telemetry.report(report);
      return observe?.(report);
    });
  }

  /** Admits a delivery and finishes it, inside telemetry if there is any. */
  #judge<Finished>(
    delivery: Delivery,
    finish: (admitted: Admitted, arrival: Arrival) => Promise<Finished>,
  ): Promise<Finished | PingOutcome | RejectedOutcome> {
    const receiving = this.#telemetry?.receiving(delivery);
    if (receiving === undefined) return this.#admit(delivery, finish, undefined);
    return receiving.within(() => this.#admit(delivery, finish, receiving));
  }

  /** Whatever goes wrong is a rejection, which is logged and reported. */
  async #admit<Finished>(
    delivery: Delivery,
    finish: (admitted: Admitted, arrival: Arrival) => Promise<Finished>,
    receiving: ReceivingTelemetry | undefined,
  ): Promise<Finished | PingOutcome | RejectedOutcome> {
    const report = this.#recorder(receiving);
    try {
      this.#refuseIfClosed();
      if (claimsToBeProbe(delivery.headers)) report.add({ probe: true });
      const deadline = deadlineOf(delivery);
      const admitted = await this.#admission.admit(delivery, report);
      if (admitted === "ping") return reported({ kind: "ping" }, report);
      this.#refuseIfClosed();
      refuseIfTooLate(deadline);
      return await finish(admitted, { delivery, deadline, report, receiving });
    } catch (thrown) {
      const outcome = this.#reject(thrown, delivery);
      report.add({ code: outcome.error.code, error: outcome.error });
      return reported(outcome, report);
    }
  }

  /** Claims the event: what is accepted waits for its caller to settle. */
  async #accept(admitted: Admitted, { delivery, deadline, report, receiving }: Arrival): Promise<Outcome> {
    const { envelope, identity, rawBody, receivedAt, secretIndex, nowMs } = admitted;
    const { id: eventId, identifiedBy } = identity;
    const key = eventKey(envelope.type, eventId);
    const retentionMs = retentionOf(envelope, nowMs, this.#settings);
    const claim = await this.#claims.claim(storeKey(this.#settings.namespace, key), {
      delivery,
      deadline,
      retentionMs,
    });
    report.lap("claimMs");
    if (claim.status === "completed") return reported({ kind: "duplicate", eventId }, report);
    if (claim.status === "in_flight")
      return reported({ kind: "in_flight", eventId, retryAfterMs: claim.remainingMs }, report);

    const { headers } = delivery;
    const facts = {
      eventId,
      eventKey: key,
      identifiedBy,
      rawBody,
      receivedAt,
      secretIndex,
      headers,
      attempt: ONLY_ATTEMPT,
    };
    const accepted = new Accepted(toEvent(envelope, eventId), facts, claim, { report, receiving, log: this.#log });
    noteAccepted(delivery.request, this, accepted);
    return accepted;
  }

  #tellOfParked({ key, type, attempts, error }: ParkedNotice): void {
    const event = quoted(key, 200);
    this.#log.failure(
      `parked: type ${quoted(type)}`,
      () => `parked: event ${event} of type ${quoted(type)} failed in ${attempts} attempts and waits to be redriven`,
      error,
    );
    this.#recorder(this.#telemetry).send({ outcome: "parked", type, error });
  }

  /** With a topic of its own, so that it takes no line from refused deliveries, nor they from it. */
  #logWorkerError(error: unknown): void {
    const message = "inbox_unavailable: the worker goes on once the inbox answers";
    this.#log.error("inbox_unavailable (worker)", message, error);
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

function warnOfMemoryStore(log: ThrottledLog): void {
  log.once(
    "memory_store",
    "processed events are remembered in the memory of this process only: other processes do not see them, and a restart forgets them. Give createReceiver a durable store and a namespace",
  );
}

/** The store of a receiver that was given none. When it is full, the receiver's log says so. */
function ownStore(log: ThrottledLog): DedupeStore {
  const onEvict = () =>
    log.warn(
      "memory_store_full",
      "the memory store is full and drops the oldest processed events: a late retry of one would run again. Raise maxEntries or use a durable store",
    );
  return memoryStore({ onEvict });
}
