import type { UpdateWebhook } from "../../client/index.ts";
import { ACCOUNT_HELP, type AccountOptions } from "../account.ts";
import type { NewSecretOptions } from "../new-secret.ts";

/** The options of the commands below `endpoints`, as commander hands them on. */
export interface EndpointOptions extends AccountOptions, NewSecretOptions {
  readonly url?: string;
  readonly event?: readonly string[];
  readonly name?: string;
  readonly description?: string;
  readonly status?: "active" | "inactive";
  readonly keepInactive?: boolean;
}

/** What is to be changed about an endpoint. */
export function changesOf({ url, event, name, description, status }: EndpointOptions): UpdateWebhook {
  const statuses = { active: "ACTIVE", inactive: "INACTIVE" } as const;
  return { url, eventTypeNames: event, name, description, status: status && statuses[status] };
}

/** What stands below the help of `endpoints`. */
export const ENDPOINTS_HELP: string = `
${ACCOUNT_HELP}

A new endpoint's secret is printed on a terminal. Elsewhere say where it goes, with --save-secret or --show-secret.

Examples:
  $ bluum-webhooks endpoints list --base-url sandbox
  $ bluum-webhooks endpoints ensure --url https://example.com/hook --event '*'
  $ bluum-webhooks endpoints list --credentials-file bluum.env
  $ bluum-webhooks endpoints delete wh_1`;
