import type { Sandbox } from "../../sandbox/index.ts";

/** The sandbox's endpoint for the app of `--forward-to`. */
export interface ForwardedTo {
  readonly id: string;
  /** Without the query, which may contain a key. */
  readonly url: string;
  /** Set if the sandbox generated it: the app needs it to verify deliveries. */
  readonly secret?: string;
}

/**
 * Registers the app for all events, unless the state of an earlier run contains it.
 *
 * @param secret the app's secret; without it the endpoint keeps its secret, or gets a new one
 * @throws WebhookError `configuration_invalid` for a secret that the scheme cannot use
 */
export async function forwardTo(
  sandbox: Sandbox,
  { href, origin, host, pathname }: URL,
  secret?: string,
): Promise<ForwardedTo> {
  const url = origin + pathname;
  const known = sandbox.endpoints().find((one) => new URL(one.url).href === href);
  if (known !== undefined) {
    if (secret !== undefined && sandbox.secrets(known.id)[0] !== secret) await sandbox.rotateSecret(known.id, secret);
    return { id: known.id, url };
  }
  const name = host + pathname;
  if (secret !== undefined) return { id: (await sandbox.endpoint({ url: href, name, secret })).id, url };
  return { url, ...(await sandbox.endpoint({ url: href, name })) };
}
