import { checks } from "./checks.ts";
import type { Clock } from "./clock.ts";
import type { Delivery } from "./deliveries/delivery.ts";
import { type FaultMix, type FaultPlan, faultMix } from "./deliveries/faults.ts";
import type { Provider } from "./deliveries/provider.ts";
import { detailOf } from "./deliveries/views.ts";
import type { Endpoint } from "./endpoints/endpoint.ts";
import { Invalid, registrationFrom } from "./endpoints/registration.ts";
import type { Registry } from "./endpoints/registry.ts";
import type { Settings } from "./options.ts";
import type { DeliveryDetail } from "./page-api.ts";
import { makeEvent, wholeSeconds } from "./payload.ts";
import type { EndpointOptions, SendOptions } from "./sandbox.ts";
import { SCENARIOS } from "./scenarios.ts";
import { forgeriesOf } from "./signing/forgeries.ts";

/** What a sandbox is made of. */
export interface SandboxParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly provider: Provider;
}

/** What a sandbox does, without its server. */
export class SandboxCore {
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

  endpoint(id: string): Endpoint {
    const endpoint = this.#parts.registry.get(id);
    if (endpoint === undefined) throw checks.invalid("endpoint", "is not known");
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

  delivery(id: string): Delivery {
    const delivery = this.#parts.provider.delivery(id);
    if (delivery === undefined) throw checks.invalid("delivery", "is not known, or was forgotten");
    return delivery;
  }

  detail(id: string): DeliveryDetail | undefined {
    const delivery = this.#parts.provider.delivery(id);
    return delivery && detailOf(delivery, this.#parts.settings.scheme);
  }

  forge(id: string, kind: string = "wrong_secret"): Delivery {
    const known = forgeriesOf(this.#parts.settings.scheme).find((one) => one.kind === kind);
    if (known === undefined) throw checks.invalid("kind", "is no forgery that makes sense under this scheme");
    return this.#parts.provider.forge(this.delivery(id), known.kind);
  }

  setFaults(plan: FaultPlan): void {
    this.#mix = faultMix(plan);
  }

  async settled(): Promise<void> {
    const { provider } = this.#parts;
    await provider.idle();
    while (provider.open > 0 && !provider.isClosed) await this.advance();
  }

  async advance(ms?: number): Promise<void> {
    const { clock, provider } = this.#parts;
    if (ms !== undefined && !(ms >= 0 && Number.isFinite(ms)))
      throw checks.invalid("advance", "takes milliseconds, 0 or more");
    // What is due right now has not begun before the event loop has turned.
    clock.putForward(clock.now());
    await provider.idle();
    const target = ms === undefined ? (clock.next() ?? clock.now()) : clock.now() + ms;
    for (let next = clock.next(); next !== undefined && next <= target; next = clock.next()) {
      clock.putForward(next);
      await provider.idle();
    }
    clock.putForward(target);
  }
}
