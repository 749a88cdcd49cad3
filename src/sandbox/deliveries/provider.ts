import { patternsMatching } from "../../events/pattern.ts";
import type { SignatureScheme } from "../../schemes/scheme.ts";
import type { Changes } from "../changes.ts";
import { checks } from "../checks.ts";
import type { Clock } from "../clock.ts";
import { countAttempt, type Endpoint, isAcknowledged } from "../endpoints/endpoint.ts";
import type { Registry } from "../endpoints/registry.ts";
import { freshId } from "../identifiers.ts";
import type { DeliveryOrigin } from "../page-api.ts";
import type { SandboxEvent } from "../payload.ts";
import type { Random } from "../random.ts";
import type { ForgeryKind } from "../signing/forgeries.ts";
import { keepTime } from "../state/clock-time.ts";
import type { State } from "../state/state.ts";
import { newAttempt } from "./attempt.ts";
import { Book, type BookLimits } from "./book.ts";
import { type Attempt, type Delivery, isFinished, isGenuine, isReplayable } from "./delivery.ts";
import { connectionFault, type FaultMix } from "./faults.ts";
import { leaseWaitMs } from "./in-flight.ts";
import { planDeliveries } from "./plan.ts";
import { type Posted, Postman, unsent } from "./post.ts";
import { retryDelayMs } from "./retry-delay.ts";
import { SendQueue } from "./send-queue.ts";
import { summaryOf } from "./views.ts";

/** What a provider works with. */
export interface ProviderParts {
  readonly scheme: SignatureScheme;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly changes: Changes;
  readonly state: State;
  /** The deliveries of an earlier run, oldest first. */
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

/** Bluum as endpoints see it: sends deliveries, retries, parks and replays them. */
export class Provider {
  readonly #parts: ProviderParts;
  readonly #book: Book;
  readonly #postman = new Postman();
  readonly #queue = new SendQueue((delivery) => this.#send(delivery));
  /** The copies that were planned with an original: they get its signature when it is signed. */
  readonly #copies = new WeakMap<Delivery, readonly Delivery[]>();

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

  get isClosed(): boolean {
    return this.#queue.isClosed;
  }

  /** Sends an event to every active endpoint that subscribes to it, with faults drawn from `mix`. */
  publish(event: SandboxEvent, mix: FaultMix, dueAt: number = this.#parts.clock.now()): Delivery[] {
    return this.#parts.registry
      .subscribersOf(patternsMatching(event.type))
      .flatMap((endpoint) => this.#publishTo(endpoint, event, mix, dueAt));
  }

  /** Sends a copy of a delivery once, without retries. The copy of a forged delivery is forged too. */
  duplicate(delivery: Delivery): Delivery {
    if (delivery.forgery !== null) return this.forge(delivery, delivery.forgery);
    return this.#copy(delivery, "duplicate");
  }

  /**
   * Sends an event again with all its retries, as Bluum's support does with parked ones.
   *
   * @throws WebhookError `configuration_invalid` if its endpoint was removed
   */
  replay(delivery: Delivery): Delivery {
    if (this.#parts.registry.get(delivery.endpointId) === undefined) {
      throw checks.invalid("delivery", "cannot be replayed: its endpoint was removed");
    }
    if (isReplayable(delivery)) this.#markReplayed(delivery);
    return this.#copy(delivery, "replay");
  }

  /** How many deliveries `replayParked` would replay. Read at each change, so it must not go through all deliveries. */
  get replayable(): number {
    const active = this.#parts.registry.all().filter(isActive);
    return active.reduce((sum, { id }) => sum + this.#book.replayableOf(id), 0);
  }

  /** Replays every parked delivery that was not replayed yet and whose endpoint is active; at an inactive one it would be parked again. */
  replayParked(): Delivery[] {
    const { registry } = this.#parts;
    return this.deliveries()
      .filter((delivery) => isReplayable(delivery) && isActive(registry.get(delivery.endpointId)))
      .map((delivery) => this.replay(delivery));
  }

  /** Sends a forged copy of a delivery once, without retries. */
  forge(delivery: Delivery, kind: ForgeryKind): Delivery {
    return this.#copy(delivery, "forged", kind);
  }

  /** Resolves when no request is in progress and no delivery that is due waits to be sent, or when closed. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  /** Cuts the requests in progress, and sends nothing more. */
  close(): void {
    this.#queue.close();
    this.#postman.close();
  }

  #publishTo(endpoint: Endpoint, event: SandboxEvent, mix: FaultMix, dueAt: number): Delivery[] {
    const { random, scheme } = this.#parts;
    const { type, id: eventId, body } = event;
    const planned = planDeliveries({ mix, random, scheme, dueAt });
    const added = planned.map(({ dueAt: at, ...fields }) => {
      return this.#add({ type, eventId, endpointId: endpoint.id, body, ...fields }, at);
    });
    this.#copies.set(added[0] as Delivery, added);
    return added;
  }

  #copy(of: Delivery, origin: DeliveryOrigin, forgery: ForgeryKind | null = null): Delivery {
    const { type, eventId, endpointId, body } = of;
    // A replay is signed again, since the secret may have changed. Any other copy has the same bytes and the same signature.
    const signed = origin === "replay" ? null : of.signed;
    return this.#add({ type, eventId, endpointId, origin, body, forgery, signed }, this.#parts.clock.now());
  }

  #add(fields: NewDelivery, dueAt: number): Delivery {
    if (this.isClosed) throw checks.invalid("sandbox", "is closed");
    const now = this.#parts.clock.now();
    const delivery: Delivery = {
      ...{ faults: [], forgery: null, signed: null, ...fields },
      ...{ id: freshId("dlv_"), createdAt: now, updatedAt: now, nextAttemptAt: dueAt },
      ...{ state: "waiting", replayed: false, attempts: [] },
    };
    this.#book.put(delivery);
    this.#save(delivery);
    this.#schedule(delivery, dueAt);
    return delivery;
  }

  /** Goes on with a delivery of an earlier run. If it was being sent then, it may have arrived: it is sent again, as after any lost answer. */
  #resume(delivery: Delivery): void {
    this.#book.put(delivery);
    if (isFinished(delivery)) return;
    if (delivery.state === "sending") {
      delivery.state = "retrying";
      const attempt = delivery.attempts.at(-1);
      if (attempt) attempt.error = "the sandbox was stopped";
    }
    this.#schedule(delivery, delivery.nextAttemptAt ?? this.#parts.clock.now());
  }

  /** @param notBeforeMs by `performance.now()`: the clock can be put forward, a receiver's lease cannot */
  #schedule(delivery: Delivery, dueAt: number, notBeforeMs = 0): void {
    delivery.nextAttemptAt = dueAt;
    this.#parts.clock.at(dueAt, () => {
      const waitMs = notBeforeMs - performance.now();
      if (waitMs > 0) this.#queue.addAfter(waitMs, delivery);
      else this.#queue.add(delivery);
    });
  }

  async #send(delivery: Delivery): Promise<void> {
    if (!this.#book.has(delivery)) return;
    const endpoint = this.#parts.registry.get(delivery.endpointId);
    if (endpoint?.status !== "ACTIVE") return this.#park(delivery, endpoint);
    const attempt = this.#begin(delivery, endpoint);
    const posted = await this.#post(attempt, delivery, endpoint);
    // Closing cut the request. Its outcome is unknown, so the next run sends it again.
    if (!this.isClosed) this.#finish(delivery, endpoint, attempt, posted);
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
    if (delivery.attempts.length === 1) this.#afterFirstSignature(delivery, endpoint);
    delivery.state = "sending";
    delivery.nextAttemptAt = null;
    this.#save(delivery);
    return attempt;
  }

  /** Copies get the signature of their original, even if the secret changes in between. */
  #afterFirstSignature(delivery: Delivery, endpoint: Endpoint): void {
    for (const copy of this.#copies.get(delivery) ?? []) copy.signed ??= delivery.signed;
    const wasRotated = endpoint.secrets.length > 1;
    if (!wasRotated && delivery.faults.includes("rotate_secret")) this.#parts.registry.rotate(endpoint);
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
    this.#save(delivery, endpoint);
  }

  #retryOrPark(delivery: Delivery, endpoint: Endpoint): void {
    const delayMs = isGenuine(delivery) ? retryDelayMs(delivery.attempts.length, this.#parts.random) : undefined;
    if (delayMs === undefined) this.#park(delivery, endpoint);
    else this.#retry(delivery, endpoint, delayMs);
  }

  #retry(delivery: Delivery, endpoint: Endpoint, delayMs: number): void {
    const { clock } = this.#parts;
    const leaseMs = leaseWaitMs(delivery, this.#book.all());
    const dueAt = clock.now() + Math.max(delayMs, Math.ceil(leaseMs * clock.speed));
    delivery.state = "retrying";
    delivery.nextAttemptAt = dueAt;
    this.#save(delivery, endpoint);
    this.#schedule(delivery, dueAt, performance.now() + leaseMs);
  }

  #park(delivery: Delivery, endpoint?: Endpoint): void {
    delivery.state = "parked";
    delivery.nextAttemptAt = null;
    if (endpoint !== undefined && isGenuine(delivery)) endpoint.health.parked += 1;
    this.#save(delivery, endpoint);
  }

  #markReplayed(delivery: Delivery): void {
    delivery.replayed = true;
    const endpoint = this.#parts.registry.get(delivery.endpointId);
    if (endpoint !== undefined) endpoint.health.parked = Math.max(0, endpoint.health.parked - 1);
    this.#save(delivery, endpoint);
  }

  /**
   * Stores a changed delivery and publishes the change. A delivery that was forgotten meanwhile is not stored again.
   *
   * @param endpoint the endpoint, if its health has changed too
   */
  #save(delivery: Delivery, endpoint?: Endpoint): void {
    const { clock, changes, state } = this.#parts;
    const now = clock.now();
    delivery.updatedAt = now;
    if (this.#book.has(delivery)) {
      this.#book.put(delivery);
      state.saveDelivery(delivery);
      keepTime(state, now);
      changes.publish({ kind: "delivery", now, delivery: summaryOf(delivery) });
      this.#trim(now);
    }
    if (endpoint !== undefined) this.#parts.registry.save(endpoint);
  }

  #trim(now: number): void {
    const ids = this.#book.trim();
    if (ids.length === 0) return;
    for (const id of ids) this.#parts.state.forgetDelivery(id);
    this.#parts.changes.publish({ kind: "deliveries_dropped", now, ids });
  }
}

function isActive(endpoint: Endpoint | undefined): boolean {
  return endpoint?.status === "ACTIVE";
}
