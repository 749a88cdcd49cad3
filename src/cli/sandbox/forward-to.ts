import type { Sandbox } from "../../sandbox/index.ts";

/** The app of `--forward-to`, as an endpoint of the sandbox. */
export interface ForwardedTo {
  readonly id: string;
  /** Without its query, which may hold a key. */
  readonly url: string;
  /** Where the sandbox has made one up: the app must be told. */
  readonly secret?: string;
}

/**
 * Registers the app for every event, once: a state may hold it from an earlier run.
 *
 * @param secret what the app verifies with; without it the endpoint keeps its own, or gets a fresh one
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
