import { KNOWN_EVENT_TYPES } from "../../bluum/catalogue.ts";
import type { Changes } from "../changes.ts";
import { summaryOf } from "../deliveries/views.ts";
import { endpointView } from "../endpoints/endpoint.ts";
import type { Snapshot } from "../page-api.ts";
import type { SandboxParts } from "../parts.ts";
import { SCENARIOS } from "../scenarios.ts";
import { forgeriesOf } from "../signing/forgeries.ts";
import type { Credentials } from "./credentials.ts";

/** Everything that the page shows when it is loaded. */
export function snapshotOf(
  { settings, clock, registry, provider }: SandboxParts,
  { changes, tenant, baseUrl }: { readonly changes: Changes; readonly tenant: Credentials; readonly baseUrl: string },
): Snapshot {
  const { speed, scheme } = settings;
  return {
    ...{ revision: changes.revision, now: clock.now(), speed, scheme: scheme.description },
    endpoints: registry.all().map(endpointView),
    deliveries: provider.deliveries().map(summaryOf),
    replayable: provider.replayable,
    scenarios: SCENARIOS.map(({ name, title }) => ({ name, title })),
    eventTypes: KNOWN_EVENT_TYPES,
    forgeries: forgeriesOf(scheme),
    firstSteps: firstSteps(baseUrl, tenant),
  };
}

function firstSteps(baseUrl: string, { apiKey, apiSecret }: Credentials): Snapshot["firstSteps"] {
  const variables = { BLUUM_BASE_URL: baseUrl, BLUUM_API_KEY: apiKey, BLUUM_API_SECRET: apiSecret };
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${value}`);
  return [
    { title: "Point the tools at the sandbox", code: exports.join("\n") },
    {
      title: "Register your endpoint; the answer contains its secret",
      code: "npx bluum-webhooks endpoints ensure --url http://localhost:3000/webhooks/bluum --event '*'",
    },
  ];
}
