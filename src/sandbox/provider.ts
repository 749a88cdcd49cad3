import { patternsMatching } from "../events/pattern.ts";
import type { SignatureScheme } from "../schemes/scheme.ts";
import { newAttempt } from "./attempt.ts";
import { Book, type BookLimits } from "./book.ts";
import type { Changes } from "./changes.ts";
import type { Clock } from "./clock.ts";
import { type Attempt, type Delivery, isFinished, isGenuine, isReplayable } from "./deliveries.ts";
import { countAttempt, type Endpoint, isAcknowledged } from "./endpoints.ts";
import { connectionFault, drawFaults, type FaultMix } from "./faults.ts";
import { type ForgeryKind, forgeriesOf } from "./forgeries.ts";
import { freshId } from "./identifiers.ts";
import { inFlightMs } from "./in-flight.ts";
import { keepTime } from "./kept-time.ts";
import type { DeliveryOrigin } from "./page-api.ts";
import type { SandboxEvent } from "./payload.ts";
import { type Posted, Postman, unsent } from "./post.ts";
import { oneOf, type Random } from "./random.ts";
import { refused } from "./refusal.ts";
import type { Registry } from "./registry.ts";
import { retryDelayMs } from "./schedule.ts";
import type { State } from "./state.ts";
import { summaryOf } from "./views.ts";

/** So many requests are on their way at once. */
const MAX_SENDING = 64;
/** How long after its original a duplicate is sent, and how long an event may be held back. */
const DUPLICATE_AFTER_MS = 2_000;
const HELD_BACK_MS = 5_000;

/** What a provider works with. */
export interface ProviderParts {
  readonly scheme: SignatureScheme;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly changes: Changes;
  readonly state: State;
  /** What an earlier run has left, oldest first. */
  readonly resumed: readonly Delivery[];
  readonly random: Random;
  readonly limits: BookLimits;
  /** The wall clock, by which deliveries are signed. */
  readonly wallNow: () => number;
  /** How long an answer may take, by the wall clock. */
  readonly timeoutMs: number;
}

type NewDelivery = Pick<Delivery, "type" | "eventId" | "endpointId" | "origin" | "body"> &
  Partial<Pick<Delivery, "faults" | "forgery" | "signed">>;

/** Bluum, as far as endpoints see it: it delivers, retries, parks and replays. */
export class Provider {
  readonly #parts: ProviderParts;
  readonly #book: Book;
  readonly #postman = new Postman();
  /** Due, and waiting for one of the places. */
  readonly #queue: Delivery[] = [];
  /** Made together with their original, before that was signed. */
  readonly #copies = new WeakMap<Delivery, readonly Delivery[]>();
  /** Of deliveries that are due and wait for a lease to end. */
  readonly #leaseTimers = new Set<NodeJS.Timeout>();
  #sending = 0;
  #closed = false;
  #whenIdle: (() => void)[] = [];

  constructor(parts: ProviderParts) {
    this.#parts = parts;
    this.#book = new Book(parts.limits);
    for (const delivery of parts.resumed) this.#resume(delivery);
  }

  delivery(id: string): Delivery | undefined {
    return this.#book.get(id);
  }

  deliveries(): Delivery[] {
    return [...this.#book.all()];
  }

  /** How many deliveries are neither acknowledged nor parked. */
  get open(): number {
    return this.#book.open;
  }

  /** Whether it was ended. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Sends an event to every active endpoint that subscribes to it, with the faults that chance has in store. */
  publish(event: SandboxEvent, mix: FaultMix, dueAt: number = this.#parts.clock.now()): Delivery[] {
    return this.#parts.registry
      .subscribersOf(patternsMatching(event.type))
      .flatMap((endpoint) => this.#publishTo(endpoint, event, mix, dueAt));
  }

  /** Sends a copy of a delivery, once; of a forged one a forged one. */
  duplicate(delivery: Delivery): Delivery {
    if (delivery.forgery !== null) return this.forge(delivery, delivery.forgery);
    return this.#copy(delivery, "duplicate", this.#parts.clock.now());
  }

  /**
   * Sends an event again from the start, as Bluum's support does with parked ones.
   *
   * @throws WebhookError `configuration_invalid` where its endpoint was removed
   */
  replay(delivery: Delivery): Delivery {
    if (this.#parts.registry.get(delivery.endpointId) === undefined) {
      throw refused("the delivery", "cannot be replayed, since its endpoint was removed");
    }
    if (isReplayable(delivery)) this.#supersede(delivery);
    return this.#copy(delivery, "replay", this.#parts.clock.now());
  }

  /** How many deliveries `replayParked` would replay. Told with each change, so it must not go through all deliveries. */
  get replayable(): number {
    const active = this.#parts.registry.all().filter(isActive);
    return active.reduce((sum, { id }) => sum + this.#book.replayableOf(id), 0);
  }

  /** Replays every parked event that was not replayed since, and whose endpoint takes events: others would be parked anew. */
  replayParked(): Delivery[] {
    const { registry } = this.#parts;
    return this.deliveries()
      .filter((delivery) => isReplayable(delivery) && isActive(registry.get(delivery.endpointId)))
      .map((delivery) => this.replay(delivery));
  }

  /** Sends a forged copy of a delivery, once. */
  forge(delivery: Delivery, kind: ForgeryKind): Delivery {
    return this.#copy(delivery, "forged", this.#parts.clock.now(), kind);
  }

  /** Fulfils once nothing is on its way, and nothing waits for a place or for a lease to end. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Cuts what is on its way, and sends no more. */
  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
    for (const timer of this.#leaseTimers) clearTimeout(timer);
    this.#postman.close();
    this.#tellIfIdle();
  }

  #publishTo(endpoint: Endpoint, event: SandboxEvent, mix: FaultMix, dueAt: number): Delivery[] {
    const { random, scheme } = this.#parts;
    const faults = drawFaults(mix, random);
    const heldBackMs = faults.includes("reorder") ? Math.floor(random() * HELD_BACK_MS) : 0;
    const at = dueAt + heldBackMs;
    const { type, id: eventId, body } = event;
    const original = this.#add({ type, eventId, endpointId: endpoint.id, origin: "event", body, faults }, at);
    const added = [original];
    if (faults.includes("concurrent")) added.push(this.#copy(original, "duplicate", at));
    if (faults.includes("duplicate")) added.push(this.#copy(original, "duplicate", at + DUPLICATE_AFTER_MS));
    if (faults.includes("forged")) {
      const [first, ...others] = forgeriesOf(scheme).map(({ kind }) => kind);
      if (first) added.push(this.#copy(original, "forged", at, oneOf(random, [first, ...others])));
    }
    this.#copies.set(original, added);
    return added;
  }

  #copy(of: Delivery, origin: DeliveryOrigin, dueAt: number, forgery: ForgeryKind | null = null): Delivery {
    const { type, eventId, endpointId, body } = of;
    // A replay may come after the secret was changed; a copy is the same to the last byte.
    const signed = origin === "replay" ? null : of.signed;
    return this.#add({ type, eventId, endpointId, origin, body, forgery, signed }, dueAt);
  }

  #add(fields: NewDelivery, dueAt: number): Delivery {
    if (this.#closed) throw refused("the sandbox", "is closed");
    const now = this.#parts.clock.now();
    const delivery: Delivery = {
      ...{ faults: [], forgery: null, signed: null, ...fields },
      ...{ id: freshId("dlv_"), createdAt: now, updatedAt: now, nextAttemptAt: dueAt },
      ...{ state: "waiting", replayed: false, attempts: [] },
    };
    this.#book.put(delivery);
    this.#note(delivery);
    this.#await(delivery, dueAt);
    return delivery;
  }

  /** What an earlier run has left: what it was sending may have arrived, and is sent once more, as after any lost answer. */
  #resume(delivery: Delivery): void {
    this.#book.put(delivery);
    if (isFinished(delivery)) return;
    if (delivery.state === "sending") {
      delivery.state = "retrying";
      const attempt = delivery.attempts.at(-1);
      if (attempt) attempt.error = "the sandbox was ended";
    }
    this.#await(delivery, delivery.nextAttemptAt ?? this.#parts.clock.now());
  }

  /** @param notBeforeMs by `performance.now()`: the clock can be put forward, a lease cannot */
  #await(delivery: Delivery, dueAt: number, notBeforeMs = 0): void {
    delivery.nextAttemptAt = dueAt;
    this.#parts.clock.at(dueAt, () => {
      const waitMs = notBeforeMs - performance.now();
      if (waitMs > 0) this.#enqueueAfter(waitMs, delivery);
      else this.#enqueue(delivery);
    });
  }

  #enqueueAfter(waitMs: number, delivery: Delivery): void {
    const timer = setTimeout(() => {
      this.#leaseTimers.delete(timer);
      this.#enqueue(delivery);
      this.#tellIfIdle();
    }, Math.ceil(waitMs));
    this.#leaseTimers.add(timer);
  }

  #enqueue(delivery: Delivery): void {
    if (!this.#book.has(delivery)) return;
    this.#queue.push(delivery);
    this.#sendNext();
  }

  #sendNext(): void {
    while (!this.#closed && this.#sending < MAX_SENDING) {
      const delivery = this.#queue.shift();
      if (delivery === undefined) return;
      if (this.#book.has(delivery)) this.#attempt(delivery);
    }
  }

  #attempt(delivery: Delivery): void {
    const endpoint = this.#parts.registry.get(delivery.endpointId);
    if (endpoint?.status === "ACTIVE") void this.#sendTo(endpoint, delivery);
    else this.#park(delivery, endpoint);
  }

  async #sendTo(endpoint: Endpoint, delivery: Delivery): Promise<void> {
    this.#sending += 1;
    try {
      const attempt = this.#begin(delivery, endpoint);
      const posted = await this.#post(attempt, delivery, endpoint);
      // Cut by our own end: what came of it nobody knows, and the next run sends it again.
      if (!this.#closed) this.#finish(delivery, endpoint, attempt, posted);
    } finally {
      this.#sending -= 1;
      this.#sendNext();
      this.#tellIfIdle();
    }
  }

  async #post({ signed, body, error }: Attempt, delivery: Delivery, { url }: Endpoint): Promise<Posted> {
    if (error !== null) return unsent(error);
    return this.#postman.send({
      ...{ url, headers: signed.headers, body: body ?? delivery.body, timeoutMs: this.#parts.timeoutMs },
      fault: delivery.attempts.length === 1 ? connectionFault(delivery.faults) : undefined,
    });
  }

  #begin(delivery: Delivery, endpoint: Endpoint): Attempt {
    const { scheme, random, wallNow, clock } = this.#parts;
    const context = { scheme, random, secret: endpoint.secrets[0], nowMs: wallNow(), at: clock.now() };
    const attempt = newAttempt(delivery, context);
    delivery.attempts.push(attempt);
    this.#afterSigning(delivery, endpoint);
    delivery.state = "sending";
    delivery.nextAttemptAt = null;
    this.#note(delivery);
    return attempt;
  }

  /** A copy is the same to the last byte, its signature included, though the secret changes between the two. */
  #afterSigning(delivery: Delivery, endpoint: Endpoint): void {
    if (delivery.attempts.length > 1) return;
    for (const copy of this.#copies.get(delivery) ?? []) copy.signed ??= delivery.signed;
    const isFirst = endpoint.secrets.length === 1;
    if (isFirst && delivery.faults.includes("rotate_secret")) this.#parts.registry.rotate(endpoint);
  }

  #finish(
    delivery: Delivery,
    endpoint: Endpoint,
    attempt: Attempt,
    { headers, latencyMs, answer, error }: Posted,
  ): void {
    Object.assign(attempt, { headers, latencyMs, answer, error, status: answer?.status ?? null });
    if (isGenuine(delivery)) countAttempt(endpoint.health, attempt);
    if (isAcknowledged(attempt.status)) this.#acknowledge(delivery, endpoint);
    else this.#retryOrPark(delivery, endpoint);
  }

  #acknowledge(delivery: Delivery, endpoint: Endpoint): void {
    delivery.state = "delivered";
    if (isGenuine(delivery)) endpoint.health.delivered += 1;
    this.#note(delivery, endpoint);
  }

  #retryOrPark(delivery: Delivery, endpoint: Endpoint): void {
    const delayMs = isGenuine(delivery) ? retryDelayMs(delivery.attempts.length, this.#parts.random) : undefined;
    if (delayMs === undefined) this.#park(delivery, endpoint);
    else this.#retry(delivery, endpoint, delayMs);
  }

  #retry(delivery: Delivery, endpoint: Endpoint, delayMs: number): void {
    const { clock } = this.#parts;
    const leaseMs = this.#leaseMs(delivery);
    const dueAt = clock.now() + Math.max(delayMs, Math.ceil(leaseMs * clock.speed));
    delivery.state = "retrying";
    delivery.nextAttemptAt = dueAt;
    this.#note(delivery, endpoint);
    this.#await(delivery, dueAt, performance.now() + leaseMs);
  }

  /** How long somebody else's claim may last. A claim of another copy that is being sent, or just was, ends with its answer. */
  #leaseMs({ id, eventId, endpointId, attempts }: Delivery): number {
    const { at, answer } = attempts.at(-1) as Attempt;
    const askedMs = inFlightMs(answer);
    if (askedMs === 0) return 0;
    const isOfCopy = this.deliveries().some((copy) => {
      const isSame = copy.id !== id && copy.eventId === eventId && copy.endpointId === endpointId;
      const last = copy.attempts.at(-1)?.answer ?? null;
      const isAnswered = copy.updatedAt >= at && last !== null && inFlightMs(last) === 0;
      return isSame && (copy.state === "sending" || isAnswered);
    });
    return isOfCopy ? 0 : askedMs;
  }

  #park(delivery: Delivery, endpoint?: Endpoint): void {
    delivery.state = "parked";
    delivery.nextAttemptAt = null;
    if (endpoint !== undefined && isGenuine(delivery)) endpoint.health.parked += 1;
    this.#note(delivery, endpoint);
  }

  #supersede(delivery: Delivery): void {
    delivery.replayed = true;
    const endpoint = this.#parts.registry.get(delivery.endpointId);
    if (endpoint !== undefined) endpoint.health.parked = Math.max(0, endpoint.health.parked - 1);
    this.#note(delivery, endpoint);
  }

  /**
   * Remembers how a delivery stands, and tells everybody. One that was forgotten meanwhile stays forgotten.
   *
   * @param endpoint the endpoint, where its health has changed too
   */
  #note(delivery: Delivery, endpoint?: Endpoint): void {
    const { clock, changes, state } = this.#parts;
    const now = clock.now();
    delivery.updatedAt = now;
    if (this.#book.has(delivery)) {
      this.#book.put(delivery);
      state.saveDelivery(delivery);
      keepTime(state, now);
      changes.tell({ kind: "delivery", now, delivery: summaryOf(delivery) });
      this.#trim(now);
    }
    if (endpoint !== undefined) this.#parts.registry.touch(endpoint);
  }

  #trim(now: number): void {
    const ids = this.#book.trim();
    if (ids.length === 0) return;
    for (const id of ids) this.#parts.state.forgetDelivery(id);
    this.#parts.changes.tell({ kind: "deliveries_dropped", now, ids });
  }

  #isIdle(): boolean {
    return this.#sending === 0 && this.#queue.length === 0 && this.#leaseTimers.size === 0;
  }

  #tellIfIdle(): void {
    if (!this.#isIdle() && !this.#closed) return;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }
}

function isActive(endpoint: Endpoint | undefined): boolean {
  return endpoint?.status === "ACTIVE";
}
