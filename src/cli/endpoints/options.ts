import type { UpdateWebhook } from "../../client/index.ts";
import { API_HELP, type ApiOptions } from "../api-credentials.ts";
import type { NewSecretOptions } from "../new-secret.ts";

/** The options of the subcommands of `endpoints`, as commander parses them. */
export interface EndpointOptions extends ApiOptions, NewSecretOptions {
  readonly url?: string;
  readonly event?: readonly string[];
  readonly name?: string;
  readonly description?: string;
  readonly status?: "active" | "inactive";
  readonly keepInactive?: boolean;
}

/** The changes to an endpoint. */
export function changesOf({ url, event, name, description, status }: EndpointOptions): UpdateWebhook {
  const statuses = { active: "ACTIVE", inactive: "INACTIVE" } as const;
  return { url, eventTypeNames: event, name, description, status: status && statuses[status] };
}

/** The help text of `endpoints`. */
export const ENDPOINTS_HELP: string = `
${API_HELP}

A new endpoint's secret is printed on a terminal. Without a terminal, give --save-secret or --show-secret.

Examples:
  $ bluum-webhooks endpoints list --base-url sandbox
  $ bluum-webhooks endpoints ensure --url https://example.com/hook --event '*'
  $ bluum-webhooks endpoints list --credentials-file bluum.env
  $ bluum-webhooks endpoints delete wh_1`;
