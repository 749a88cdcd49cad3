import type { SignatureScheme } from "../../schemes/scheme.ts";
import type { Changes } from "../changes.ts";
import { checks } from "../checks.ts";
import type { Clock } from "../clock.ts";
import { freshId } from "../identifiers.ts";
import { checkSecret, freshSecret } from "../signing/secrets.ts";
import type { State } from "../state/state.ts";
import { type Endpoint, endpointView, newHealth } from "./endpoint.ts";

/** The most endpoints that can be registered. */
export const MAX_ENDPOINTS = 1_000;

/** The fields of a new endpoint, checked already. */
export interface Registration {
  readonly name: string;
  readonly url: string;
  readonly eventTypeNames: readonly string[];
  readonly description?: string | undefined;
  readonly status?: Endpoint["status"] | undefined;
  /** @default a random one */
  readonly secret?: string | undefined;
}

/** What a registry works with. */
export interface RegistryParts {
  readonly scheme: SignatureScheme;
  readonly clock: Clock;
  readonly changes: Changes;
  readonly state: State;
}

/** The registered endpoints, in the order of their registration. */
export class Registry {
  readonly #parts: RegistryParts;
  readonly #endpoints: Map<string, Endpoint>;

  /** @throws WebhookError `configuration_invalid` if the state has endpoints whose secrets the scheme cannot use */
  constructor(parts: RegistryParts) {
    this.#parts = parts;
    this.#endpoints = new Map(parts.state.endpoints().map((endpoint) => [endpoint.id, endpoint]));
    for (const { secrets } of this.#endpoints.values()) checkSecret(parts.scheme, secrets[0]);
  }

  get(id: string): Endpoint | undefined {
    return this.#endpoints.get(id);
  }

  all(): Endpoint[] {
    return [...this.#endpoints.values()];
  }

  /** The active endpoints that subscribe by one of the patterns. */
  subscribersOf(patterns: readonly string[]): Endpoint[] {
    return this.all().filter(
      ({ status, eventTypeNames }) => status === "ACTIVE" && eventTypeNames.some((name) => patterns.includes(name)),
    );
  }

  /** @throws WebhookError `configuration_invalid` if there are too many endpoints, or the scheme refuses the secret */
  add({ name, url, eventTypeNames, description, status = "ACTIVE", secret }: Registration): Endpoint {
    const { scheme, clock } = this.#parts;
    if (this.#endpoints.size >= MAX_ENDPOINTS) throw checks.invalid("endpoints", `are limited to ${MAX_ENDPOINTS}`);
    if (secret !== undefined) checkSecret(scheme, secret);
    const now = clock.now();
    const endpoint: Endpoint = {
      ...{ id: freshId("wh_"), name, url, eventTypeNames, description, status },
      ...{ createdAt: now, updatedAt: now, secrets: [secret ?? freshSecret(scheme)], health: newHealth() },
    };
    this.#endpoints.set(endpoint.id, endpoint);
    this.save(endpoint);
    return endpoint;
  }

  /** Changes the fields that are given. */
  change(endpoint: Endpoint, changes: Partial<Omit<Registration, "secret">>): void {
    const named = Object.entries(changes).filter(([, value]) => value !== undefined);
    Object.assign(endpoint, Object.fromEntries(named), { updatedAt: this.#parts.clock.now() });
    this.save(endpoint);
  }

  /**
   * Gives an endpoint another secret, by default a random one. The previous secret is remembered.
   *
   * @throws WebhookError `configuration_invalid` for a secret that the scheme refuses
   */
  rotate(endpoint: Endpoint, secret: string = freshSecret(this.#parts.scheme)): string {
    checkSecret(this.#parts.scheme, secret);
    endpoint.secrets = [secret, endpoint.secrets[0]];
    this.change(endpoint, {});
    return secret;
  }

  remove(endpoint: Endpoint): void {
    const { clock, changes, state } = this.#parts;
    this.#endpoints.delete(endpoint.id);
    state.removeEndpoint(endpoint.id);
    changes.publish({ kind: "endpoint_removed", now: clock.now(), id: endpoint.id });
  }

  /** Stores a changed endpoint and publishes the change. An endpoint that was removed meanwhile is not stored again. */
  save(endpoint: Endpoint): void {
    if (this.#endpoints.get(endpoint.id) !== endpoint) return;
    const { clock, changes, state } = this.#parts;
    state.saveEndpoint(endpoint);
    changes.publish({ kind: "endpoint", now: clock.now(), endpoint: endpointView(endpoint) });
  }
}
