import { Changes } from "./changes.ts";
import type { Delivery } from "./deliveries/delivery.ts";
import type { FaultPlan } from "./deliveries/faults.ts";
import { summaryOf } from "./deliveries/views.ts";
import { endpointView } from "./endpoints/endpoint.ts";
import { Operations } from "./operations.ts";
import { type EndpointOptions, type SandboxOptions, type SendOptions, type Settings, settingsFrom } from "./options.ts";
import type { DeliveryDetail, DeliverySummary, EndpointView } from "./page-api.ts";
import { createParts, type SandboxParts } from "./parts.ts";
import { type Credentials, credentialsFor } from "./server/credentials.ts";
import { serve } from "./server/serve.ts";
import type { ForgeryKind } from "./signing/forgeries.ts";
import { batchedState } from "./state/batched.ts";
import { keepTime } from "./state/clock-time.ts";
import { openState } from "./state/open.ts";
import type { State } from "./state/state.ts";

/** A registered endpoint. */
export interface RegisteredEndpoint {
  readonly id: string;
  /** The secret that its deliveries are signed with. */
  readonly secret: string;
}

/**
 * Bluum on localhost: a webhook provider for tests and for trying things out. Not for production: everyone who can reach it sees
 * every secret.
 */
export interface Sandbox {
  /** The address of the inspector page. */
  readonly url: string;
  /** The address of the management API, as `BLUUM_BASE_URL` takes it. */
  readonly baseUrl: string;
  /** The tenant's API key and secret. */
  readonly credentials: Credentials;
  /** An investor's API key and secret. The management API answers them with 403, as Bluum does. */
  readonly investorCredentials: Credentials;
  /** The sandbox's clock, in epoch milliseconds. */
  now(): number;
  /**
   * Registers an endpoint without the management API.
   *
   * @throws WebhookError `configuration_invalid` for what the management API would refuse
   */
  endpoint(options: EndpointOptions): Promise<RegisteredEndpoint>;
  /** The registered endpoints and their health. */
  endpoints(): readonly EndpointView[];
  /**
   * The secrets of an endpoint, the newest first; two after a rotation. For a receiver's `secret` function.
   *
   * @throws WebhookError `configuration_invalid` for an unknown endpoint
   */
  secrets(endpointId: string): readonly string[];
  /**
   * Gives an endpoint another secret. Deliveries that were signed before keep the old one in their retries if the scheme signs no
   * timestamp.
   *
   * @param secret @default a random one, in a form that the scheme accepts
   * @returns the new secret
   * @throws WebhookError `configuration_invalid` for an unknown endpoint, or a secret with which the scheme cannot sign
   */
  rotateSecret(endpointId: string, secret?: string): Promise<string>;
  /**
   * Sends an event to every endpoint that subscribes to it. Does not wait for the answers: `settled` and `advance(0)` do.
   *
   * @throws WebhookError `configuration_invalid` for a name or data that no event can have
   */
  send(type: string, options?: SendOptions): Promise<readonly DeliverySummary[]>;
  /**
   * Sends the events of a scenario, one after the other by the sandbox's clock.
   *
   * @throws WebhookError `configuration_invalid` for an unknown name, listing the known ones
   */
  scenario(name: string): Promise<readonly DeliverySummary[]>;
  /**
   * Waits until every delivery is acknowledged or parked, and puts the clock forward to each retry: the whole schedule takes no longer
   * than its requests. Only the `Retry-After` of an endpoint that answers `event_in_flight` is waited for in real time, up to 60 s an
   * attempt, because the lease behind it runs by the wall clock. Never rejects.
   */
  settled(): Promise<void>;
  /**
   * Puts the clock forward, runs everything that is due by then in its order, and waits for the answers.
   *
   * @param ms how far, in milliseconds; by default to the next thing that is due
   * @throws WebhookError `configuration_invalid` if `ms` is not a number, or is negative
   */
  advance(ms?: number): Promise<void>;
  /** All deliveries that are remembered, oldest first. */
  deliveries(): readonly DeliverySummary[];
  /** One delivery with its requests, answers and signatures; undefined if it is unknown. */
  delivery(id: string): DeliveryDetail | undefined;
  /** Sends a copy once, without retries. @throws WebhookError `configuration_invalid` for an unknown delivery */
  duplicate(id: string): Promise<DeliverySummary>;
  /**
   * Sends an event again, with all its retries.
   *
   * @throws WebhookError `configuration_invalid` for an unknown delivery, or one whose endpoint was removed
   */
  replay(id: string): Promise<DeliverySummary>;
  /** Replays every parked delivery whose endpoint is active, as Bluum's support does on request. */
  replayParked(): Promise<readonly DeliverySummary[]>;
  /**
   * Sends a forged copy once. A receiver must refuse it.
   *
   * @param kind how it is forged @default "wrong_secret"
   * @throws WebhookError `configuration_invalid` for an unknown delivery, or a kind that makes no sense under the scheme
   */
  forge(id: string, kind?: ForgeryKind): Promise<DeliverySummary>;
  /**
   * Sets the faults of the events that are sent from now on: each fault of a list for every delivery, or each by its probability. An
   * empty list means none. Faults of connections and clocks affect the first attempt only, so the retries get through.
   *
   * @throws WebhookError `configuration_invalid` for an unknown fault or a probability out of bounds
   */
  faults(plan: FaultPlan): void;
  /** Stops the server and cuts the requests in progress. With a state, the next run goes on from here. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts Bluum on localhost: the management API, signed deliveries with retries, parking and replay, and an inspector page. For tests
 * and for trying things out; not for production.
 *
 * @throws WebhookError `configuration_invalid`, naming the option that cannot work
 * @example
 * const sandbox = await createSandbox();
 * const { secret } = await sandbox.endpoint({ url: "http://localhost:3000/webhooks/bluum" });
 * await sandbox.send("order.filled");
 * await sandbox.settled(); // delivered, or retried to the end of the schedule: no waiting
 * await sandbox.close(); // or `await using`, if your runtime has it
 */
export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const settings = settingsFrom(options);
  const state = await openState(options);
  try {
    return await start(options, settings, state);
  } catch (error) {
    state.close();
    throw error;
  }
}

async function start(options: SandboxOptions, settings: Settings, opened: State): Promise<Sandbox> {
  const tenant = credentialsFor("tenant", options, opened);
  const investor = credentialsFor("investor", {}, opened);
  const changes = new Changes(() => parts.provider.replayable);
  if (options.observe !== undefined) observeBy(options.observe, changes);
  const state = batchedState(opened, (error) => settings.warn(notWritable(error)));
  const parts = createParts(settings, state, changes);
  const operations = new Operations(parts);
  const stop = () => {
    parts.clock.stop();
    parts.provider.close();
  };
  const serving = await serve({ parts, operations, changes, tenant, investor }).catch((error) => {
    stop();
    throw error;
  });
  const close = async () => {
    stop();
    await serving.close();
    keepTime(state, parts.clock.now());
    state.close();
  };
  return sandboxOver(parts, operations, { url: serving.url, tenant, investor, close });
}

interface Running {
  readonly url: string;
  readonly tenant: Credentials;
  readonly investor: Credentials;
  readonly close: () => Promise<void>;
}

function sandboxOver({ clock, registry }: SandboxParts, operations: Operations, running: Running): Sandbox {
  const { url, tenant, investor } = running;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= running.close();
    return closing;
  };
  return {
    ...{ url: `${url}/`, baseUrl: `${url}/v1`, credentials: tenant, investorCredentials: investor },
    now: () => clock.now(),
    async endpoint(options) {
      const { id, secrets } = operations.register(options);
      return { id, secret: secrets[0] };
    },
    endpoints: () => registry.all().map(endpointView),
    secrets: (id) => operations.endpoint(id).secrets,
    rotateSecret: async (id, secret) => registry.rotate(operations.endpoint(id), secret),
    send: async (type, options) => summaries(operations.send(type, options)),
    scenario: async (name) => summaries(operations.scenario(name)),
    settled: () => operations.settled(),
    advance: (ms) => operations.advance(ms),
    deliveries: () => summaries(operations.deliveries()),
    delivery: (id) => operations.detail(id),
    duplicate: async (id) => summaryOf(operations.duplicate(id)),
    replay: async (id) => summaryOf(operations.replay(id)),
    replayParked: async () => summaries(operations.replayParked()),
    forge: async (id, kind) => summaryOf(operations.forge(id, kind)),
    faults: (plan) => operations.setFaults(plan),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function summaries(deliveries: readonly Delivery[]): DeliverySummary[] {
  return deliveries.map(summaryOf);
}

function observeBy(observe: NonNullable<SandboxOptions["observe"]>, changes: Changes): void {
  changes.watch(({ change }) => {
    try {
      observe(change);
    } catch {
      // An error of the observer must not stop deliveries.
    }
  });
}

function notWritable(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `The sandbox cannot write its state any more (${reason}). It goes on in memory; after a restart it goes on from the last state that was written.`;
}
