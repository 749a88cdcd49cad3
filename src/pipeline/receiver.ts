import { ignoreRejection, sleep } from "../async.ts";
import { BodyBudget } from "../body.ts";
import { claimsToBeProbe, type Delivery, plainHeaders, type Reply } from "../delivery.ts";
import { bodyIncomplete, WebhookError } from "../errors.ts";
import type { BluumEvent, EventOf } from "../events/event.ts";
import type { Pattern } from "../events/pattern.ts";
import { clockMs } from "../options.ts";
import { PING_TYPE, Router } from "../router/router.ts";
import { diagnose } from "../schemes/diagnosis.ts";
import { memoryStore } from "../stores/memory.ts";
import type { DedupeStore } from "../stores/store.ts";
import { Accepted } from "./accepted.ts";
import { checkAge, retentionOf } from "./age.ts";
import { acquire, type Claim, type ClaimSettings, fencingTokens, type NotAcquired, withoutClaim } from "./claim.ts";
import { dispatch } from "./dispatch.ts";
import { eventKey, handlerKey, type Identity, identify, storeKey } from "./identity.ts";
import { type Deadline, deadlineIn } from "./lease.ts";
import { type ThrottledLog, throttledLog } from "./log.ts";
import { type ReceiverOptions, type Settings, settingsOf } from "./options.ts";
import type { AcceptedOutcome, DeliveryContext, Outcome, RejectedOutcome } from "./outcome.ts";
import { type Envelope, parseEnvelope, toEvent } from "./parse.ts";
import { replyTo, statusOf } from "./reply.ts";
import { ReportRecorder } from "./report.ts";
import { type KeySource, keySource } from "./secrets.ts";
import { acceptedBefore, bodySeen, noteAccepted } from "./seen-requests.ts";
import { timedStore } from "./store-timeouts.ts";
import { checkBody, checkHead, verify } from "./verify.ts";

/** Receives the deliveries of one webhook endpoint. Make one with {@link createReceiver}, at start-up, and share it. */
export interface Receiver {
  /**
   * Verifies, parses and claims one delivery, for middleware: the caller does the work and settles. It never rejects for
   * anything that a sender can cause.
   */
  receive(delivery: Delivery): Promise<Outcome>;
  /** Receives, runs the handlers, settles and makes the reply, as `bluumHandler` does. Never rejects. */
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
   * Forgets one event, so that a deliberate replay of it runs again.
   *
   * @returns true where the store knew the event
   * @throws WebhookError `configuration_invalid` where the store cannot forget; or what the store throws
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

function isReceiver(value: Receiver | ReceiverOptions | undefined): value is Receiver {
  return typeof (value as Partial<Receiver> | undefined)?.receive === "function";
}

/**
 * How many calls to the store may be unanswered before new claims are refused. Each of them stays in memory, with its
 * delivery or in the store's client, for as long as the store hangs. A process verifies some 10,000 deliveries a second, so
 * a store that lets a thousand wait is a tenth of a second behind under full load, and ten seconds behind at a hundred a second.
 */
const MAX_UNANSWERED = 1_000;

class WebhookReceiver implements Receiver {
  readonly #settings: Settings;
  readonly #store: DedupeStore;
  readonly #keys: KeySource;
  readonly #bodies: BodyBudget;
  readonly #claimSettings: ClaimSettings;
  readonly #log: ThrottledLog;
  readonly #router = new Router<DeliveryContext>();
  readonly #production: boolean = inProduction();
  /** How many claims the store has not answered. */
  #claiming = 0;
  #receiving = false;
  #closed = false;

  constructor(settings: Settings) {
    const { secret, scheme, secretTimeoutMs, maxBodyBytes, bodyTimeoutMs } = settings;
    const { leaseMs, retentionMs, maxProcessingMs } = settings;
    this.#settings = settings;
    this.#keys = keySource(secret, scheme, secretTimeoutMs, () => this.#now());
    this.#bodies = new BodyBudget({ maxBytes: maxBodyBytes, timeoutMs: bodyTimeoutMs });
    const log = throttledLog(settings.logger);
    this.#log = log;
    const store = settings.store ?? ownStore(log);
    this.#store = store;
    const terms = { leaseMs, retentionMs, maxProcessingMs };
    // The receiver's own store answers at once.
    const timed = timedStore(store);
    this.#claimSettings = { store, timedStore: timed, ...terms, log, newToken: fencingTokens(), open: new Set() };
    if (this.#production && store.shared === false) warnOfMemoryStore(log);
  }

  async receive(delivery: Delivery): Promise<Outcome> {
    const before = acceptedBefore(delivery?.request, this);
    if (before !== undefined) return before;
    const report = new ReportRecorder(this.#settings.observe);
    try {
      if (claimsToBeProbe(delivery.headers)) report.add({ probe: true });
      const outcome = await this.#judge(delivery, report);
      if (outcome.kind !== "accepted") sendReport(outcome, report);
      return outcome;
    } catch (thrown) {
      const outcome = this.#reject(thrown, delivery);
      report.add({ code: outcome.error.code, error: outcome.error });
      sendReport(outcome, report);
      return outcome;
    }
  }

  async handle(delivery: Delivery): Promise<Reply> {
    const outcome = await this.receive(delivery);
    if (!(outcome instanceof Accepted)) return replyTo(outcome);
    this.#receiving = true;
    const { onUnhandled } = this.#settings;
    return outcome.replyOnce(() => dispatch(outcome, { router: this.#router, onUnhandled }));
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
    const store = this.#store;
    if (store.forget === undefined) throw new WebhookError("configuration_invalid", "store has no method forget");
    const key = storeKey(this.#settings.namespace, eventKey(type, id));
    const keys = [key, ...this.#router.matching(type).map(({ name }) => handlerKey(key, name))];
    let known = false;
    for (const each of keys) known = (await store.forget(each)) || known;
    return known;
  }

  async close({ timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (typeof timeoutMs !== "number" || Number.isNaN(timeoutMs))
      throw new WebhookError("configuration_invalid", "timeoutMs must be a number of milliseconds");
    this.#closed = true;
    const until = performance.now() + timeoutMs;
    while (this.#claiming + this.#claimSettings.open.size > 0 && performance.now() < until) {
      await sleep(Math.min(10, timeoutMs));
    }
    this.#log.flush();
    if (this.#settings.store === undefined) await this.#store.close?.();
  }

  /** Verify, parse, identify, claim; cheapest checks first. */
  async #judge(delivery: Delivery, report: ReportRecorder): Promise<Outcome> {
    this.#refuseIfClosed();
    const receivedAt = new Date(this.#now());
    const deadline = deadlineOf(delivery);
    const presented = checkHead(delivery, this.#settings.scheme);
    const rawBody = await this.#readBody(delivery, report);
    const verified = await this.#verify(presented, rawBody, report);
    const envelope = this.#parse(delivery, verified, report);
    if (envelope.type === PING_TYPE) return { kind: "ping" };
    checkAge(envelope, verified.nowMs, this.#settings, this.#log);
    const identity = this.#identify(delivery, verified, envelope, report);
    this.#refuseIfClosed();
    refuseIfTooLate(deadline);

    const key = eventKey(envelope.type, identity.id);
    const settings = this.#claimSettingsFor(delivery, deadline, retentionOf(envelope, verified.nowMs, this.#settings));
    const claim = await this.#claim(storeKey(this.#settings.namespace, key), settings);
    report.lap("claimMs");
    const { id: eventId, identifiedBy } = identity;
    if (claim.status === "completed") return { kind: "duplicate", eventId };
    if (claim.status === "in_flight") return { kind: "in_flight", eventId, retryAfterMs: claim.remainingMs };

    const { secretIndex } = verified;
    const { headers } = delivery;
    const facts = { eventId, eventKey: key, identifiedBy, rawBody, receivedAt, secretIndex, headers };
    const accepted = new Accepted(toEvent(envelope, eventId), facts, claim, report, this.#log);
    noteAccepted(delivery.request, this, accepted);
    return accepted;
  }

  async #readBody({ body, request }: Delivery, report: ReportRecorder): Promise<Uint8Array> {
    // Another receiver that the request has passed may have read it.
    const seen = typeof body === "function" ? bodySeen(request) : body;
    const unread = typeof body === "function" && seen === undefined;
    const rawBody: unknown = unread ? await this.#bodies.read(body).catch(asBodyError) : seen;
    checkBody(rawBody, this.#settings.maxBodyBytes);
    report.add({ bodyBytes: rawBody.length });
    report.lap("readMs");
    return rawBody;
  }

  async #verify(presented: object, rawBody: Uint8Array, report: ReportRecorder): Promise<VerifiedBody> {
    const nowMs = this.#now();
    const { secretIndex, messageId } = await verify(this.#settings.scheme, presented, rawBody, this.#keys, nowMs);
    report.add({ secretIndex });
    report.lap("verifyMs");
    return { secretIndex, messageId, rawBody, nowMs };
  }

  #parse({ headers }: Delivery, { rawBody }: VerifiedBody, report: ReportRecorder): Envelope {
    const { parseJson, eventType } = this.#settings;
    const envelope = parseEnvelope(rawBody, { parseJson, eventType, headers: () => plainHeaders(headers) });
    report.add({ type: envelope.type });
    return envelope;
  }

  #identify(delivery: Delivery, verified: VerifiedBody, { type, payload }: Envelope, report: ReportRecorder): Identity {
    const { rawBody, messageId } = verified;
    const headers = () => plainHeaders(delivery.headers);
    const identity = identify({ payload, type, rawBody, headers, messageId }, this.#settings.eventId);
    report.add({ eventId: identity.id, identifiedBy: identity.identifiedBy });
    if (this.#production && identity.identifiedBy === "body_hash") warnOfBodyHash(this.#log);
    return identity;
  }

  /** Claims the event, or goes on without a claim where the store fails and `onStoreError` says so. */
  async #claim(key: string, settings: ClaimSettings): Promise<Claim | NotAcquired> {
    const stuck = Math.max(this.#claiming, this.#store.unanswered?.() ?? 0) >= MAX_UNANSWERED;
    this.#claiming += 1;
    try {
      if (stuck) throw storeStuck();
      return await acquire(key, settings);
    } catch (cause) {
      if (this.#settings.onStoreError === "reject")
        throw new WebhookError("store_unavailable", "the store failed to claim the event", { cause });
      this.#log.error(
        "store_unavailable",
        'store_unavailable: the store failed to claim an event; it is processed anyway (onStoreError is "accept") and may run twice',
        cause,
      );
      return withoutClaim(key, settings);
    } finally {
      this.#claiming -= 1;
    }
  }

  #claimSettingsFor({ waitUntil }: Delivery, deadline: Deadline | undefined, retentionMs: number): ClaimSettings {
    const { store, leaseMs, maxProcessingMs, log, newToken, open } = this.#claimSettings;
    const timed = deadline === undefined ? this.#claimSettings.timedStore : timedStore(store, deadline);
    const keepAlive = waitUntil && safeWaitUntil(waitUntil, log);
    // Listed: a spread would cost more than the rest of a claim.
    return {
      store,
      timedStore: timed,
      leaseMs,
      retentionMs,
      maxProcessingMs,
      log,
      newToken,
      open,
      deadline,
      waitUntil: keepAlive,
    };
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new WebhookError("receiver_closed", "the receiver is closing");
  }

  #now(): number {
    const now = clockMs(this.#settings.now());
    if (!Number.isNaN(now)) return now;
    throw new WebhookError("receiver_failed", "the now option returned no time in epoch milliseconds");
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

/** A body whose signature was verified, and when. */
interface VerifiedBody {
  readonly secretIndex: number;
  readonly messageId: string | undefined;
  readonly rawBody: Uint8Array;
  readonly nowMs: number;
}

/** Reports a final outcome. */
function sendReport(outcome: Exclude<Outcome, AcceptedOutcome>, report: ReportRecorder): void {
  const code = outcome.kind === "in_flight" ? "event_in_flight" : undefined;
  report.send({ outcome: outcome.kind, status: statusOf(outcome), code });
}

function isProbe(delivery: Delivery): boolean {
  try {
    return claimsToBeProbe(delivery.headers);
  } catch {
    // A custom adapter may pass anything.
    return false;
  }
}

function asBodyError(thrown: unknown): never {
  throw thrown instanceof WebhookError ? thrown : bodyIncomplete(thrown);
}

function storeStuck(): Error {
  return new Error(
    `${MAX_UNANSWERED} calls or more to the store are unanswered; new claims are refused until it answers`,
  );
}

function deadlineOf({ timeLeftMs }: Delivery): Deadline | undefined {
  if (timeLeftMs === undefined || timeLeftMs === Number.POSITIVE_INFINITY) return undefined;
  // A lease of length zero would protect nothing.
  if (Number.isFinite(timeLeftMs)) return deadlineIn(timeLeftMs);
  ignoreRejection(timeLeftMs);
  throw new WebhookError("receiver_failed", "the delivery's timeLeftMs is not a number of milliseconds");
}

function refuseIfTooLate(deadline: Deadline | undefined): void {
  if (deadline !== undefined && performance.now() >= deadline.answerBy)
    throw new WebhookError("handler_timeout", "the deadline passed before the event could be processed");
}

/** A runtime's `waitUntil`. What it throws must not cost an event. */
function safeWaitUntil(
  waitUntil: (work: Promise<unknown>) => void,
  log: ThrottledLog,
): (work: Promise<unknown>) => void {
  const refused = (error: unknown) =>
    log.warn("wait_until_failed", "waitUntil did not accept the work that continues after the answer", error);
  return (work) => {
    try {
      Promise.resolve<unknown>(waitUntil(work)).catch(refused);
    } catch (error) {
      refused(error);
    }
  };
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

function warnOfBodyHash(log: ThrottledLog): void {
  log.once(
    "body_hash",
    "the payload has no event id, so an event is identified by the hash of its body: a retry with other bytes would run again, and two events with identical bytes count as one. To avoid both, set the eventId option to a field of the body that tells events apart",
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
