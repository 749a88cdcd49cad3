import { KNOWN_EVENT_TYPES } from "../events/catalogue.ts";
import { Changes } from "./changes.ts";
import { Clock } from "./clock.ts";
import { type Credentials, callerBy, credentialsFor } from "./credentials.ts";
import type { Delivery } from "./deliveries.ts";
import { endpointView } from "./endpoints.ts";
import { EventStreams } from "./event-stream.ts";
import { forgeriesOf } from "./forgeries.ts";
import { type Inspected, Inspector } from "./inspector.ts";
import { ManagementApi } from "./management.ts";
import { type SandboxOptions, type Settings, settingsFrom } from "./options.ts";
import type { Snapshot } from "./page-api.ts";
import { readPage } from "./page-file.ts";
import { Provider, wallTimeoutMs } from "./provider.ts";
import { randomFrom } from "./random.ts";
import { refused } from "./refusal.ts";
import { Registry } from "./registry.ts";
import { type Sandbox, SandboxCore } from "./sandbox.ts";
import { SCENARIOS } from "./scenarios.ts";
import { type Listening, listen } from "./server.ts";
import { sqliteState } from "./sqlite-state.ts";
import { noState, type State } from "./state.ts";
import { fileState } from "./state-file.ts";

/** The most memory for bodies and answers. */
const MAX_BYTES = 128 * 1024 * 1024;

/**
 * Starts Bluum on localhost: the management API, signed deliveries with retries, parking and replay, and an inspector page. For tests
 * and for trying things out; not for production.
 *
 * @throws WebhookError `configuration_invalid`, naming the option that cannot work
 * @example
 * await using sandbox = await createSandbox();
 * const { secret } = await sandbox.endpoint({ url: "http://localhost:3000/webhooks/bluum" });
 * await sandbox.send("order.filled");
 * await sandbox.settled(); // delivered, or retried to the end of the schedule: no waiting
 */
export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const settings = settingsFrom(options);
  const state = await stateOf(options);
  try {
    return await assemble(options, settings, state);
  } catch (error) {
    state.close();
    throw error;
  }
}

async function stateOf({ statePath, database }: SandboxOptions): Promise<State> {
  if (database !== undefined && statePath !== undefined) throw refused("database", "and statePath exclude each other");
  if (database !== undefined) return sqliteState(database);
  return statePath === undefined ? noState() : fileState(statePath);
}

async function assemble(options: SandboxOptions, settings: Settings, state: State): Promise<Sandbox> {
  const { scheme } = settings;
  const tenant = credentialsFor("tenant", options, state);
  const investor = credentialsFor("investor", {}, state);
  const changes = new Changes();
  if (options.observe !== undefined) observeBy(options.observe, changes);
  const clock = new Clock(startOf(settings, state), settings.speed);
  const registry = new Registry({ scheme, clock, changes, state });
  const provider = new Provider({
    ...{ scheme, registry, clock, changes, state, random: randomFrom(settings.seed), wallNow: settings.now },
    limits: { maxDeliveries: settings.maxDeliveries, maxBytes: MAX_BYTES },
    timeoutMs: wallTimeoutMs(settings.timeoutMs, settings.speed),
  });
  const core = new SandboxCore({ settings, clock, registry, provider });
  const streams = new EventStreams(changes);
  const { responseShape, listShape, errorShape } = settings;
  const management = new ManagementApi({
    ...{ registry, responseShape, listShape, errorShape },
    callerOf: callerBy(tenant, investor),
  });
  const base = { url: "" };
  const inspected = inspectedBy({ core, settings, clock, changes, registry, provider, tenant, base });
  const inspector = new Inspector(inspected, streams, await readPage());
  const close = (server?: Listening) => {
    clock.stop();
    provider.close();
    streams.close();
    state.close();
    return server?.close();
  };
  try {
    const server = await listen(settings.host, settings.port, { management, inspector });
    base.url = `http://${authority(settings.host)}:${server.port}`;
    return sandboxOf({ core, clock, provider, registry, tenant, investor, url: base.url, close: () => close(server) });
  } catch (error) {
    close();
    throw error;
  }
}

/** Later than all that an earlier run has noted, so that time never goes back. */
function startOf({ now }: Settings, state: State): number {
  return state.deliveries().reduce((latest, { updatedAt }) => Math.max(latest, updatedAt), now());
}

function observeBy(observe: NonNullable<SandboxOptions["observe"]>, changes: Changes): void {
  changes.watch(({ change }) => {
    try {
      observe(change);
    } catch {
      // An observer's trouble is not the sandbox's.
    }
  });
}

/** How clients on this machine reach it. */
function authority(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

interface InspectedParts {
  readonly core: SandboxCore;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly changes: Changes;
  readonly registry: Registry;
  readonly provider: Provider;
  readonly tenant: Credentials;
  readonly base: { readonly url: string };
}

function inspectedBy(parts: InspectedParts): Inspected {
  const { core, provider, registry } = parts;
  const ids = (deliveries: readonly Delivery[]) => deliveries.map(({ id }) => id);
  return {
    snapshot: () => snapshotOf(parts),
    delivery: (id) => core.detail(id),
    duplicate: (id) => provider.duplicate(core.delivery(id)).id,
    replay: (id) => provider.replay(core.delivery(id)).id,
    forge: (id, kind) => core.forge(id, kind).id,
    replayParked: () => ids(provider.replayParked()),
    scenario: (name) => ids(core.scenario(name)),
    send: (type, data) => ids(core.send(type, data === undefined ? {} : { data })),
    setStatus(id, status) {
      const endpoint = registry.get(id);
      if (endpoint === undefined) return undefined;
      if (status !== "ACTIVE" && status !== "INACTIVE") throw refused("status", "must be ACTIVE or INACTIVE");
      registry.change(endpoint, { status });
      return endpointView(endpoint);
    },
  };
}

function snapshotOf({ core, settings, clock, changes, tenant, base }: InspectedParts): Snapshot {
  return {
    ...{ revision: changes.revision, now: clock.now(), speed: settings.speed, scheme: settings.scheme.description },
    ...{ endpoints: core.endpoints(), deliveries: core.summaries(), eventTypes: KNOWN_EVENT_TYPES },
    scenarios: SCENARIOS.map(({ name, title }) => ({ name, title })),
    forgeries: forgeriesOf(settings.scheme),
    firstSteps: firstSteps(base.url, tenant),
  };
}

function firstSteps(url: string, { apiKey, apiSecret }: Credentials): Snapshot["firstSteps"] {
  const variables = { BLUUM_BASE_URL: `${url}/v1`, BLUUM_API_KEY: apiKey, BLUUM_API_SECRET: apiSecret };
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${value}`);
  const registration = '{"name":"my app","url":"http://localhost:3000/webhooks/bluum","eventTypeNames":["*"]}';
  return [
    { title: "Tell the tools where the sandbox is", code: exports.join("\n") },
    {
      title: "Register your endpoint; the answer has its secret",
      code: `curl -u "$BLUUM_API_KEY:$BLUUM_API_SECRET" -H "Content-Type: application/json" \\\n  -d '${registration}' "$BLUUM_BASE_URL/webhooks"`,
    },
  ];
}

interface SandboxHandle {
  readonly core: SandboxCore;
  readonly clock: Clock;
  readonly provider: Provider;
  readonly registry: Registry;
  readonly tenant: Credentials;
  readonly investor: Credentials;
  readonly url: string;
  readonly close: () => Promise<void> | undefined;
}

function sandboxOf({ core, clock, provider, registry, tenant, investor, url, close }: SandboxHandle): Sandbox {
  let closing: Promise<void> | undefined;
  const summary = (delivery: Delivery) => core.summaries([delivery])[0] as ReturnType<Sandbox["deliveries"]>[number];
  const end = () => {
    closing ??= Promise.resolve(close());
    return closing;
  };
  return {
    ...{ url: `${url}/`, baseUrl: `${url}/v1`, credentials: tenant, investorCredentials: investor },
    now: () => clock.now(),
    async endpoint(options) {
      const { id, secrets } = core.register(options);
      return { id, secret: secrets[0] };
    },
    endpoints: () => core.endpoints(),
    secrets: (id) => core.endpoint(id).secrets,
    rotateSecret: async (id) => registry.rotate(core.endpoint(id)),
    send: async (type, options) => core.summaries(core.send(type, options)),
    scenario: async (name) => core.summaries(core.scenario(name)),
    settled: () => core.settled(),
    advance: (ms) => core.advance(ms),
    deliveries: () => core.summaries(),
    delivery: (id) => core.detail(id),
    duplicate: async (id) => summary(provider.duplicate(core.delivery(id))),
    replay: async (id) => summary(provider.replay(core.delivery(id))),
    replayParked: async () => core.summaries(provider.replayParked()),
    forge: async (id, kind) => summary(core.forge(id, kind)),
    faults: (plan) => core.setFaults(plan),
    close: end,
    [Symbol.asyncDispose]: end,
  };
}
