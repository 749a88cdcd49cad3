import type { SandboxCore, SandboxParts } from "./core.ts";
import type { Credentials } from "./credentials.ts";
import type { Delivery } from "./deliveries.ts";
import { endpointView } from "./endpoints.ts";
import type { Inspected } from "./inspector.ts";
import type { Snapshot } from "./page-api.ts";
import { refused } from "./refusal.ts";
import type { Sandbox } from "./sandbox.ts";
import { summaryOf } from "./views.ts";

/** What a program gets in its hands. */
export function sandboxOf(
  core: SandboxCore,
  { clock, provider, registry }: SandboxParts,
  outside: {
    readonly url: string;
    readonly credentials: Credentials;
    readonly investorCredentials: Credentials;
    readonly close: () => Promise<void>;
  },
): Sandbox {
  const { url, credentials, investorCredentials } = outside;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= outside.close();
    return closing;
  };
  return {
    ...{ url: `${url}/`, baseUrl: `${url}/v1`, credentials, investorCredentials },
    now: () => clock.now(),
    async endpoint(options) {
      const { id, secrets } = core.register(options);
      return { id, secret: secrets[0] };
    },
    endpoints: () => registry.all().map(endpointView),
    secrets: (id) => core.endpoint(id).secrets,
    rotateSecret: async (id, secret) => registry.rotate(core.endpoint(id), secret),
    send: async (type, options) => core.send(type, options).map(summaryOf),
    scenario: async (name) => core.scenario(name).map(summaryOf),
    settled: () => core.settled(),
    advance: (ms) => core.advance(ms),
    deliveries: () => provider.deliveries().map(summaryOf),
    delivery: (id) => core.detail(id),
    duplicate: async (id) => summaryOf(provider.duplicate(core.delivery(id))),
    replay: async (id) => summaryOf(provider.replay(core.delivery(id))),
    replayParked: async () => provider.replayParked().map(summaryOf),
    forge: async (id, kind) => summaryOf(core.forge(id, kind)),
    faults: (plan) => core.setFaults(plan),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What the inspector gets. */
export function inspectedOf(
  core: SandboxCore,
  { provider, registry }: SandboxParts,
  snapshot: () => Snapshot,
): Inspected {
  return {
    snapshot,
    delivery: (id) => core.detail(id),
    duplicate: (id) => provider.duplicate(core.delivery(id)).id,
    replay: (id) => provider.replay(core.delivery(id)).id,
    forge: (id, kind) => core.forge(id, kind).id,
    replayParked: () => provider.replayParked().map(idOf),
    scenario: (name) => core.scenario(name).map(idOf),
    send: (type, data) => core.send(type, data === undefined ? {} : { data }).map(idOf),
    addEndpoint(fields) {
      const endpoint = core.register(fields);
      return { ...endpointView(endpoint), secret: endpoint.secrets[0] };
    },
    setStatus(id, status) {
      const endpoint = registry.get(id);
      if (endpoint === undefined) return undefined;
      if (status !== "ACTIVE" && status !== "INACTIVE") throw refused("status", "must be ACTIVE or INACTIVE");
      registry.change(endpoint, { status });
      return endpointView(endpoint);
    },
  };
}

function idOf({ id }: Delivery): string {
  return id;
}
