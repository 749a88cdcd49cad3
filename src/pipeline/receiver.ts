import { ignoreRejection, isPending, pause } from "../async.ts";
import { BodyBudget } from "../body.ts";
import { claimsToBeProbe, type Delivery, type Reply } from "../delivery.ts";
import { bodyIncomplete, WebhookError } from "../errors.ts";
import type { BluumEvent, EventOf } from "../events/event.ts";
import type { Pattern } from "../events/pattern.ts";
import { PING_TYPE, Router } from "../router/router.ts";
import type { Verified } from "../schemes/scheme.ts";
import { msOf } from "../time.ts";
import { Accepted, type DeliveryFacts } from "./accepted.ts";
import { boundedStore } from "./bounded-store.ts";
import type { ClaimTerms } from "./claim.ts";
import { diagnose } from "./diagnose.ts";
import { endingIn } from "./ending.ts";
import { type HandleSettings, handle } from "./handle.ts";
import { eventKey, handlerKey, identify, storeKey } from "./identity.ts";
import { type ThrottledLog, throttledLog } from "./log.ts";
import { Mark } from "./mark.ts";
import { OpenClaims } from "./open-claims.ts";
import { type ReceiverOptions, type Settings, settingsOf } from "./options.ts";
import type { AcceptedOutcome, DeliveryContext, Outcome, RejectedOutcome } from "./outcome.ts";
import { type Envelope, parseEnvelope, toEvent } from "./parse.ts";
import { replyTo, statusOf } from "./reply.ts";
import { type ReportDraft, reportTo } from "./report-draft.ts";
import { type KeySource, keySource } from "./secrets.ts";
import { goWithoutClaim, type Taken, takeClaim } from "./take-claim.ts";
import { checkBody, checkHead, checkSignature } from "./verify.ts";
import { inProduction, ownStore, warnOfBodyHash, warnOfMemoryStore, warnOfUnreadableTime } from "./warnings.ts";

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
   * @throws WebhookError `configuration_invalid` where that is no number
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
  readonly #keys: KeySource;
  readonly #bodies: BodyBudget;
  readonly #terms: ClaimTerms;
  readonly #log: ThrottledLog;
  readonly #router = new Router<DeliveryContext>();
  readonly #handling: HandleSettings;
  /** How many claims are being asked for. */
  #claiming = 0;
  #receiving = false;
  readonly #production: boolean = inProduction();
  #closed = false;

  constructor(settings: Settings) {
    const { secret, scheme, secretTimeoutMs, maxBodyBytes, bodyTimeoutMs } = settings;
    const { leaseMs, retentionMs, maxProcessingMs } = settings;
    this.#settings = settings;
    this.#keys = keySource(secret, scheme, secretTimeoutMs, () => this.#now());
    this.#bodies = new BodyBudget({ maxBytes: maxBodyBytes, timeoutMs: bodyTimeoutMs });
    this.#log = throttledLog(settings.logger);
    const store = settings.store ?? ownStore(this.#log);
    // Nothing is due for a claim in the first tenth of its lease.
    const open = new OpenClaims(leaseMs / 10);
    // Field by field: the settings hold the secret.
    this.#terms = {
      ...{ store, verbs: boundedStore(store), leaseMs, retentionMs, maxProcessingMs },
      ...{ clock: () => performance.now(), log: this.#log, open },
    };
    this.#handling = { router: this.#router, namespace: settings.namespace, onUnhandled: settings.onUnhandled };
    if (this.#production && this.#terms.store.shared === false) warnOfMemoryStore(this.#log);
  }

  receive(delivery: Delivery): Promise<Outcome> {
    const before = Mark.outcomeOf(delivery?.request, this);
    return before === undefined ? this.#judge(delivery) : Promise.resolve(before);
  }

  async handle(delivery: Delivery): Promise<Reply> {
    const outcome = await this.receive(delivery);
    if (!(outcome instanceof Accepted)) return replyTo(outcome);
    this.#receiving = true;
    // One request, one run of the handlers, however often it is mounted.
    outcome.answer ??= handle(outcome, this.#handling);
    return isPending(outcome.answer) ? await outcome.answer : outcome.answer;
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
    if (typeof timeoutMs !== "number" || Number.isNaN(timeoutMs))
      throw new WebhookError("configuration_invalid", "timeoutMs must be a number of milliseconds");
    const until = performance.now() + timeoutMs;
    while (this.#claiming + this.#terms.open.size > 0 && performance.now() < until) {
      // Not unref'd: it waits for work that must not be cut off.
      await pause(Math.min(10, timeoutMs));
    }
    this.#log.flush();
    if (this.#settings.store === undefined) await this.#terms.store.close?.();
  }

  /**
   * The whole way of a delivery: from cheap checks to dear ones, then to what it means, then to whether it is new. What is there at
   * once is not waited for.
   */
  async #judge(delivery: Delivery): Promise<Outcome> {
    const report = reportTo(this.#settings.observe);
    let probe = false;
    try {
      probe = claimsToBeProbe(delivery.headers);
      if (probe) report.probe = true;
      this.#refuseIfClosed();
      const terms = this.#termsOf(delivery);
      const receivedAt = new Date(this.#now());
      const presented = checkHead(delivery, this.#settings.scheme);

      report.begin();
      const { body, request } = delivery;
      // Another receiver that the request has come past may have read it.
      let rawBody: Uint8Array;
      try {
        rawBody = typeof body === "function" ? (Mark.bodyOf(request) ?? (await this.#bodies.read(body))) : body;
      } catch (thrown) {
        throw thrown instanceof WebhookError ? thrown : bodyIncomplete(thrown);
      }
      checkBody(rawBody, this.#settings.maxBodyBytes);
      report.bodyBytes = rawBody.length;
      report.end("readMs");
      const now = this.#now();
      const verified = await this.#verify(presented, rawBody, now);
      if (verified instanceof WebhookError) return told(this.#rejected(verified, delivery, report, probe), report);
      report.secretIndex = verified.secretIndex;
      report.end("verifyMs");
      const genuine = this.#identify(verified, rawBody, receivedAt, now, report);
      if (genuine === undefined) return told({ kind: "ping" }, report);

      // The body may have taken its time.
      this.#refuseIfClosed();
      refuseIfTooLate(terms);
      report.begin();
      const key = storeKey(this.#settings.namespace, genuine.facts.eventKey);
      const remembering = this.#rememberingFor(genuine.envelope, now, terms);
      const asked = this.#isStoreStuck() ? Promise.reject<Taken>(storeStuck()) : takeClaim(key, remembering);
      const claim = isPending(asked) ? await this.#takenOrWithout(asked, key, remembering, report) : asked;
      report.end("claimMs");
      return this.#outcome(genuine, claim, report, request);
    } catch (thrown) {
      return told(this.#rejected(thrown, delivery, report, probe), report);
    }
  }

  /** Verifies the signature, with newer keys as well where those at hand do not match: the secret may have been rotated. */
  async #verify(presented: object, rawBody: Uint8Array, now: number): Promise<Verified | WebhookError> {
    const { scheme } = this.#settings;
    const keys = await this.#keys.current();
    const verified = checkSignature(scheme, presented, rawBody, keys, now);
    if (!(verified instanceof WebhookError) || verified.code !== "signature_mismatch") return verified;
    const newer = await this.#keys.newerThan(keys);
    return newer === undefined ? verified : checkSignature(scheme, presented, rawBody, newer, now);
  }

  /** @returns undefined for a ping */
  #identify(
    { secretIndex, messageId }: Verified,
    rawBody: Uint8Array,
    receivedAt: Date,
    now: number,
    report: ReportDraft,
  ): Genuine | undefined {
    const { parseJson, eventId: option } = this.#settings;
    const envelope = parseEnvelope(rawBody, parseJson);
    const { type, payload } = envelope;
    report.type = type;
    if (type === PING_TYPE) return undefined;
    this.#checkAge(envelope, now);
    const { id, identifiedBy } = identify({ payload, type, rawBody, messageId }, option);
    report.eventId = id;
    report.identifiedBy = identifiedBy;
    if (this.#production && identifiedBy === "body_hash") warnOfBodyHash(this.#log);
    const facts = { eventId: id, eventKey: eventKey(type, id), identifiedBy, rawBody, receivedAt, secretIndex };
    return { envelope, facts };
  }

  #outcome({ envelope, facts }: Genuine, claim: Taken, report: ReportDraft, request: object | undefined): Outcome {
    const { eventId } = facts;
    if (claim.status === "completed") return told({ kind: "duplicate", eventId }, report);
    if (claim.status === "in_flight")
      return told({ kind: "in_flight", eventId, retryAfterMs: claim.remainingMs }, report);
    const accepted = new Accepted(toEvent(envelope, eventId), facts, claim, report);
    Mark.put(request, this, accepted);
    return accepted;
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new WebhookError("receiver_closed", "the receiver is closing");
  }

  /** Only new claims are refused: what was accepted is renewed, completed and released all the same. */
  #isStoreStuck(): boolean {
    return Math.max(this.#claiming, this.#terms.store.unanswered?.() ?? 0) >= MAX_UNANSWERED;
  }

  #now(): number {
    const now = msOf(this.#settings.now());
    if (!Number.isNaN(now)) return now;
    throw new WebhookError("handler_failed", "the now option returned no time in epoch milliseconds");
  }

  /** The terms of every claim, and what a delivery adds to them for its own. */
  #termsOf({ timeLeftMs, waitUntil }: Delivery): ClaimTerms {
    if (timeLeftMs === undefined && waitUntil === undefined) return this.#terms;
    const terms = { ...this.#terms, waitUntil: waitUntil && handingOver(waitUntil, this.#log) };
    if (timeLeftMs === undefined || timeLeftMs === Number.POSITIVE_INFINITY) return terms;
    // A lease of no length would keep nobody away.
    if (!Number.isFinite(timeLeftMs)) {
      ignoreRejection(timeLeftMs);
      throw new WebhookError("handler_failed", "the delivery's timeLeftMs is not a number of milliseconds");
    }
    const ending = endingIn(timeLeftMs);
    return { ...terms, ending, verbs: boundedStore(terms.store, ending.storeBy) };
  }

  /** A captured delivery under a scheme that signs no time would be valid for ever, and new again after the retention. */
  #checkAge({ occurredAt, unreadableTime }: Envelope, now: number): void {
    const { scheme, maxEventAgeMs } = this.#settings;
    if (scheme.signsTimestamp === true) return;
    if (unreadableTime !== undefined) warnOfUnreadableTime(this.#log, unreadableTime);
    if (occurredAt === undefined) return;
    if (now - occurredAt.getTime() > maxEventAgeMs) {
      throw new WebhookError("event_too_old", `the event is older than maxEventAgeMs (${maxEventAgeMs})`);
    }
  }

  /**
   * The terms of a claim on this event. Its age admits an event for longer the further it is ahead of the clock, so it is remembered
   * longer by as much: a captured delivery would be new again otherwise.
   */
  #rememberingFor({ occurredAt }: Envelope, now: number, terms: ClaimTerms): ClaimTerms {
    const aheadMs = occurredAt === undefined ? 0 : Math.ceil(occurredAt.getTime() - now);
    if (aheadMs <= 0 || this.#settings.scheme.signsTimestamp === true) return terms;
    return { ...terms, retentionMs: terms.retentionMs + Math.min(aheadMs, MAX_AHEAD_MS) };
  }

  /** Waits for a claim, or goes on without one where the store fails and that is wanted. */
  async #takenOrWithout(asked: Promise<Taken>, key: string, terms: ClaimTerms, report: ReportDraft): Promise<Taken> {
    this.#claiming += 1;
    try {
      return await asked;
    } catch (cause) {
      if (this.#settings.onStoreError === "reject")
        throw new WebhookError("store_unavailable", "the store failed to claim the event", { cause });
      this.#log.error(
        "store_unavailable",
        'store_unavailable: the store failed to claim an event; it is processed anyway (onStoreError is "accept") and may run twice',
        cause,
      );
      return goWithoutClaim(key, terms);
    } finally {
      this.#claiming -= 1;
      report.end("claimMs");
    }
  }

  #rejected(thrown: unknown, delivery: Delivery, report: ReportDraft, probe: boolean): RejectedOutcome {
    // Anything but a WebhookError is a fault of a part that the user plugged in, such as a scheme of their own.
    const error =
      thrown instanceof WebhookError
        ? thrown
        : new WebhookError("handler_failed", "the receiver failed unexpectedly", { cause: thrown });
    report.code = error.code;
    report.error = error;
    this.#logRejection(error, delivery, probe);
    return { kind: "rejected", error };
  }

  #logRejection(error: WebhookError, delivery: Delivery, probe: boolean): void {
    if (error.code === "method_not_allowed" || error.code === "receiver_closed") return;
    // A topic of their own, so that a probe takes no line from a delivery that is none.
    const topic = probe ? `${error.code} (probe)` : error.code;
    const message = () => diagnose(error, delivery, this.#settings.scheme, probe);
    const ours = statusOf({ kind: "rejected", error }) >= 500;
    if (ours) this.#log.error(topic, message, error.cause);
    else this.#log.warn(topic, message);
  }
}

/** A year: a time further ahead is a mistake, and no reason to remember its event for ever. */
const MAX_AHEAD_MS = 365 * 24 * 60 * 60_000;

/** A delivery that is what it says it is, still without a claim on its event. */
interface Genuine {
  readonly envelope: Envelope;
  readonly facts: DeliveryFacts;
}

/** An outcome of which nothing more will be heard is reported at once. */
function told(outcome: Exclude<Outcome, AcceptedOutcome>, report: ReportDraft): Outcome {
  report.outcome = outcome.kind;
  report.status = statusOf(outcome);
  if (outcome.kind === "in_flight") report.code = "event_in_flight";
  report.send();
  return outcome;
}

function storeStuck(): Error {
  return new Error(
    `${MAX_UNANSWERED} calls or more to the store are unanswered; new claims are refused until it answers`,
  );
}

function refuseIfTooLate({ ending }: ClaimTerms): void {
  if (ending !== undefined && performance.now() >= ending.answerBy)
    throw new WebhookError("handler_timeout", "the deadline passed before the event could be processed");
}

/** A runtime's `waitUntil`. What it throws must not cost an event: the work goes on, if nobody ends it. */
function handingOver(waitUntil: (work: Promise<unknown>) => void, log: ThrottledLog): (work: Promise<unknown>) => void {
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
