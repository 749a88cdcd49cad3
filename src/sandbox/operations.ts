import { checks } from "./checks.ts";
import type { Delivery } from "./deliveries/delivery.ts";
import { type FaultMix, type FaultPlan, faultMix } from "./deliveries/faults.ts";
import { detailOf } from "./deliveries/views.ts";
import type { Endpoint } from "./endpoints/endpoint.ts";
import { Invalid, registrationFrom } from "./endpoints/registration.ts";
import type { EndpointOptions, SendOptions } from "./options.ts";
import type { DeliveryDetail } from "./page-api.ts";
import type { SandboxParts } from "./parts.ts";
import { makeEvent, wholeSeconds } from "./payload.ts";
import { SCENARIOS } from "./scenarios.ts";
import { forgeriesOf } from "./signing/forgeries.ts";

/** What a sandbox can be asked to do, by a program and by the inspector page alike. Every call checks what it is given. */
export class Operations {
  readonly #parts: SandboxParts;
  #mix: FaultMix;

  constructor(parts: SandboxParts) {
    this.#parts = parts;
    this.#mix = parts.settings.faults;
  }

  register({ url, eventTypeNames = ["*"], name = "sandbox", status = "ACTIVE", secret }: EndpointOptions): Endpoint {
    const registration = registrationFrom({ url, eventTypeNames, name, status });
    if (registration instanceof Invalid)
      throw checks.invalid(registration.param, `is refused: ${registration.message}`);
    return this.#parts.registry.add({ ...registration, secret });
  }

  /** The endpoint with this id. */
  endpoint(id: string): Endpoint {
    const endpoint = this.#parts.registry.get(id);
    if (endpoint === undefined) throw checks.invalid("endpoint", "is not known");
    return endpoint;
  }

  /** @returns undefined for an unknown endpoint */
  setStatus(id: string, status: string): Endpoint | undefined {
    const endpoint = this.#parts.registry.get(id);
    if (endpoint === undefined) return undefined;
    if (status !== "ACTIVE" && status !== "INACTIVE") throw checks.invalid("status", "must be ACTIVE or INACTIVE");
    this.#parts.registry.change(endpoint, { status });
    return endpoint;
  }

  send(type: string, { data, faults }: SendOptions = {}): Delivery[] {
    const { settings, provider } = this.#parts;
    const event = makeEvent(type, data, { atMs: settings.now(), withId: settings.eventIds });
    return provider.publish(event, faults === undefined ? this.#mix : faultMix(faults));
  }

  scenario(name: string): Delivery[] {
    const scenario = SCENARIOS.find((one) => one.name === name);
    if (scenario === undefined) {
      throw checks.invalid("scenario", `must be one of ${SCENARIOS.map((one) => one.name).join(", ")}`);
    }
    const { settings, clock, provider } = this.#parts;
    const [startMs, dueAt] = [settings.now(), clock.now()];
    const steps = scenario.steps((afterMs) => wholeSeconds(startMs + afterMs));
    return steps.flatMap(({ type, data, afterMs }) => {
      const event = makeEvent(type, data, { atMs: startMs + afterMs, withId: settings.eventIds, whole: true });
      return provider.publish(event, this.#mix, dueAt + afterMs);
    });
  }

  /** Every delivery that is remembered, oldest first. */
  deliveries(): Delivery[] {
    return this.#parts.provider.deliveries();
  }

  /** One delivery with its requests, answers and signatures. */
  detail(id: string): DeliveryDetail | undefined {
    const delivery = this.#parts.provider.delivery(id);
    return delivery && detailOf(delivery, this.#parts.settings.scheme);
  }

  duplicate(id: string): Delivery {
    return this.#parts.provider.duplicate(this.#delivery(id));
  }

  replay(id: string): Delivery {
    return this.#parts.provider.replay(this.#delivery(id));
  }

  replayParked(): Delivery[] {
    return this.#parts.provider.replayParked();
  }

  forge(id: string, kind: string = "wrong_secret"): Delivery {
    const known = forgeriesOf(this.#parts.settings.scheme).find((one) => one.kind === kind);
    if (known === undefined) throw checks.invalid("kind", "is not a forgery that makes sense under this scheme");
    return this.#parts.provider.forge(this.#delivery(id), known.kind);
  }

  setFaults(plan: FaultPlan): void {
    this.#mix = faultMix(plan);
  }

  /** Puts the clock forward until every delivery is acknowledged or parked. */
  async settled(): Promise<void> {
    const { provider } = this.#parts;
    await provider.idle();
    while (provider.open > 0 && !provider.isClosed) await this.advance();
  }

  /** Puts the clock forward step by step, and waits at each step for the requests that it starts. */
  async advance(ms?: number): Promise<void> {
    const { clock, provider } = this.#parts;
    if (ms !== undefined && !(ms >= 0 && Number.isFinite(ms))) {
      throw checks.invalid("advance", "takes milliseconds, 0 or more");
    }
    // What is due right now would otherwise begin only in the next turn of the event loop.
    clock.putForward(clock.now());
    await provider.idle();
    const target = ms === undefined ? (clock.next() ?? clock.now()) : clock.now() + ms;
    for (let next = clock.next(); next !== undefined && next <= target; next = clock.next()) {
      clock.putForward(next);
      await provider.idle();
    }
    clock.putForward(target);
  }

  #delivery(id: string): Delivery {
    const delivery = this.#parts.provider.delivery(id);
    if (delivery === undefined) throw checks.invalid("delivery", "is not known, or was forgotten");
    return delivery;
  }
}
