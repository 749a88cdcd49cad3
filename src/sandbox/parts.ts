import type { Changes } from "./changes.ts";
import { Clock } from "./clock.ts";
import { Provider } from "./deliveries/provider.ts";
import { Registry } from "./endpoints/registry.ts";
import type { Settings } from "./options.ts";
import { randomFrom } from "./random.ts";
import { keptTime } from "./state/clock-time.ts";
import type { State } from "./state/state.ts";

/** The most memory for the bodies, headers and answers of deliveries. */
const MAX_BYTES = 128 * 1024 * 1024;

/** The parts of a sandbox, without its server. */
export interface SandboxParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly provider: Provider;
}

/**
 * Makes the parts, and resumes what an earlier run left in the state.
 *
 * @throws WebhookError `configuration_invalid` if the state has endpoints whose secrets the scheme cannot use
 */
export function createParts(settings: Settings, state: State, changes: Changes): SandboxParts {
  const { scheme, now, seed, speed, timeoutMs, maxDeliveries } = settings;
  const resumed = state.deliveries();
  // Never before the end of an earlier run: the clock must not go back.
  const clock = new Clock(Math.max(now(), keptTime(state)), speed);
  const registry = new Registry({ scheme, clock, changes, state });
  const provider = new Provider({
    ...{ scheme, registry, clock, changes, state, resumed, random: randomFrom(seed), wallNow: now },
    limits: { maxDeliveries, maxBytes: MAX_BYTES },
    // A clock that stands still shortens no timeout.
    timeoutMs: Math.max(1, speed === 0 ? timeoutMs : timeoutMs / speed),
  });
  return { settings, clock, registry, provider };
}
