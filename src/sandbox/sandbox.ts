import type { Credentials } from "./credentials.ts";
import type { FaultPlan } from "./faults.ts";
import type { ForgeryKind } from "./forgeries.ts";
import type { DeliveryDetail, DeliverySummary, EndpointView } from "./page-api.ts";

/** An endpoint to be registered; see {@link Sandbox.endpoint}. */
export interface EndpointOptions {
  /** Where deliveries go: https, or http on this machine. */
  readonly url: string;
  /**
   * The events that it subscribes to: names, or wildcards such as `order.*`.
   * @default ["*"]
   */
  readonly eventTypeNames?: readonly string[];
  /** @default "sandbox" */
  readonly name?: string;
  /** @default "ACTIVE" */
  readonly status?: "ACTIVE" | "INACTIVE";
  /** @default a fresh one, in a form that the scheme takes */
  readonly secret?: string;
}

/** A registered endpoint. */
export interface RegisteredEndpoint {
  readonly id: string;
  /** What its deliveries are signed with. */
  readonly secret: string;
}

/** What to send beside the event's name; see {@link Sandbox.send}. */
export interface SendOptions {
  /** Fields that replace the sample's, one level deep. */
  readonly data?: object;
  /** What befalls this event's deliveries. @default what `faults` says */
  readonly faults?: FaultPlan;
}

/**
 * Bluum on localhost: a webhook provider for tests and for trying things out. It is not for production: whoever reaches it sees
 * every secret.
 */
export interface Sandbox {
  /** The inspector page's address. */
  readonly url: string;
  /** The management API's, as `BLUUM_BASE_URL` takes it. */
  readonly baseUrl: string;
  /** The tenant's. */
  readonly credentials: Credentials;
  /** Refused by the management API with 403, as an investor's are. */
  readonly investorCredentials: Credentials;
  /** The sandbox's clock, in epoch milliseconds. */
  now(): number;
  /**
   * Registers an endpoint, without the management API.
   *
   * @throws WebhookError `configuration_invalid` for what the management API would refuse
   */
  endpoint(options: EndpointOptions): Promise<RegisteredEndpoint>;
  /** The registered endpoints, and how they do. */
  endpoints(): readonly EndpointView[];
  /**
   * The secrets of an endpoint, the newest first: two once it was rotated. For a receiver's `secret` function.
   *
   * @throws WebhookError `configuration_invalid` for an unknown endpoint
   */
  secrets(endpointId: string): readonly string[];
  /**
   * Gives an endpoint another secret. What was signed before, retries included, keeps the old one where the scheme signs no time.
   *
   * @param secret @default a fresh one, in a form that the scheme takes
   * @returns the new secret
   * @throws WebhookError `configuration_invalid` for an unknown endpoint, or a secret with which the scheme cannot sign
   */
  rotateSecret(endpointId: string, secret?: string): Promise<string>;
  /**
   * Sends an event to every endpoint that subscribes to it, and returns at once; `settled` or `advance(0)` wait.
   *
   * @throws WebhookError `configuration_invalid` for what is no event
   */
  send(type: string, options?: SendOptions): Promise<readonly DeliverySummary[]>;
  /**
   * Sends the events of a scenario, one after the other on the sandbox's clock.
   *
   * @throws WebhookError `configuration_invalid` for an unknown name, listing those that there are
   */
  scenario(name: string): Promise<readonly DeliverySummary[]>;
  /**
   * Waits until every delivery has been acknowledged or parked, and puts the clock forward to whatever is due next: the whole retry
   * schedule takes no longer than its requests. Only the `Retry-After` of an endpoint that answers `event_in_flight` is waited out in
   * real time, up to 60 s an attempt: the lease behind it runs by the wall clock.
   */
  settled(): Promise<void>;
  /**
   * Puts the clock forward, waits for what is on its way, and does everything that is due by then in its order.
   *
   * @param ms how far; without it, to the next thing that is due
   */
  advance(ms?: number): Promise<void>;
  /** All deliveries that are remembered, oldest first. */
  deliveries(): readonly DeliverySummary[];
  /** One delivery with its requests, answers and signatures; undefined where it is unknown. */
  delivery(id: string): DeliveryDetail | undefined;
  /** Sends a copy, once. @throws WebhookError `configuration_invalid` for an unknown delivery */
  duplicate(id: string): Promise<DeliverySummary>;
  /**
   * Sends an event again, with all its retries.
   *
   * @throws WebhookError `configuration_invalid` for an unknown delivery, or one whose endpoint was removed
   */
  replay(id: string): Promise<DeliverySummary>;
  /** Replays every parked event whose endpoint takes events, as Bluum's support does on request. */
  replayParked(): Promise<readonly DeliverySummary[]>;
  /**
   * Sends a forged copy, once. A receiver must refuse it.
   *
   * @param kind how it is forged @default "wrong_secret"
   * @throws WebhookError `configuration_invalid` for an unknown delivery, or a kind that makes no sense under the scheme
   */
  forge(id: string, kind?: ForgeryKind): Promise<DeliverySummary>;
  /**
   * Says what is done on purpose to the events sent from now on: each fault of a list to every delivery, or each by its probability. An
   * empty list ends it. What is done to connections and clocks is done to the first attempt; the retries are sound.
   *
   * @throws WebhookError `configuration_invalid` for what is no fault
   */
  faults(plan: FaultPlan): void;
  /** Ends the server, and cuts what is on its way. With a state, the next run goes on from here. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
