import { Changes } from "./changes.ts";
import { Clock } from "./clock.ts";
import { SandboxCore, type SandboxParts } from "./core.ts";
import { type Credentials, callerBy, credentialsFor } from "./credentials.ts";
import { EventStreams } from "./event-stream.ts";
import { gathered } from "./gathered-state.ts";
import { inspectedOf, sandboxOf } from "./handle.ts";
import { Inspector } from "./inspector.ts";
import { keepTime, keptTime } from "./kept-time.ts";
import { ManagementApi } from "./management.ts";
import { type SandboxOptions, type Settings, settingsFrom } from "./options.ts";
import { Provider } from "./provider.ts";
import { randomFrom } from "./random.ts";
import { refused } from "./refusal.ts";
import { Registry } from "./registry.ts";
import type { Sandbox } from "./sandbox.ts";
import { type Listening, listen } from "./server.ts";
import { snapshotOf } from "./snapshot.ts";
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
 * const sandbox = await createSandbox();
 * const { secret } = await sandbox.endpoint({ url: "http://localhost:3000/webhooks/bluum" });
 * await sandbox.send("order.filled");
 * await sandbox.settled(); // delivered, or retried to the end of the schedule: no waiting
 * await sandbox.close(); // or `await using`, where your runtime has it
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
  const credentials = credentialsFor("tenant", options, state);
  const investorCredentials = credentialsFor("investor", {}, state);
  const changes = new Changes(() => parts.provider.replayable);
  if (options.observe !== undefined) observeBy(options.observe, changes);
  const kept = gathered(state, (error) => settings.warn(notKept(error)));
  const parts: SandboxParts = partsOf(settings, kept, changes);
  const core = new SandboxCore(parts);
  const stop = () => {
    parts.clock.stop();
    parts.provider.close();
  };
  const outside = { changes, tenant: credentials, investor: investorCredentials };
  const serving = await serve(core, parts, outside).catch((error) => {
    stop();
    throw error;
  });
  return sandboxOf(core, parts, {
    ...{ url: serving.url, credentials, investorCredentials },
    async close() {
      stop();
      await serving.close();
      keepTime(kept, parts.clock.now());
      kept.close();
    },
  });
}

function partsOf(settings: Settings, state: State, changes: Changes): SandboxParts {
  const { scheme, now, seed, speed, timeoutMs, maxDeliveries } = settings;
  const resumed = state.deliveries();
  // Never earlier than an earlier run has ended, so that time does not go back.
  const startMs = Math.max(now(), keptTime(state));
  const clock = new Clock(startMs, speed);
  const registry = new Registry({ scheme, clock, changes, state });
  const provider = new Provider({
    ...{ scheme, registry, clock, changes, state, resumed, random: randomFrom(seed), wallNow: now },
    limits: { maxDeliveries, maxBytes: MAX_BYTES },
    // A clock that stands still compresses nothing.
    timeoutMs: Math.max(1, speed === 0 ? timeoutMs : timeoutMs / speed),
  });
  return { settings, clock, registry, provider };
}

function notKept(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `The sandbox's state is no longer kept, since it cannot be written (${reason}). It goes on in memory; a restart goes on from the last state that was written.`;
}

interface Outside {
  readonly changes: Changes;
  readonly tenant: Credentials;
  readonly investor: Credentials;
}

interface Serving {
  readonly url: string;
  readonly close: () => Promise<void>;
}

async function serve(core: SandboxCore, parts: SandboxParts, outside: Outside): Promise<Serving> {
  const { changes, tenant, investor } = outside;
  const { host, port, responseShape, listShape, errorShape } = parts.settings;
  const streams = new EventStreams(changes);
  const management = new ManagementApi({
    ...{ registry: parts.registry, responseShape, listShape, errorShape },
    callerOf: callerBy(tenant, investor),
  });
  // Nothing is asked for before the address is known.
  const url = () => `http://${authority(host)}:${server.port}`;
  const snapshot = () => snapshotOf(parts, { changes, tenant, baseUrl: `${url()}/v1` });
  const inspector = new Inspector(inspectedOf(core, parts, snapshot), streams, await inspectorPage());
  const server: Listening = await listen(host, port, { management, inspector }).catch((error) => {
    streams.close();
    throw error;
  });
  return {
    url: url(),
    close() {
      streams.close();
      return server.close();
    },
  };
}

/** The inspector page. Its file is found by `import.meta`, which is missing where a test runner such as Jest makes CommonJS of modules. */
async function inspectorPage(): Promise<string | undefined> {
  const file = await import("./page-file.ts").catch(() => undefined);
  return file?.readPage();
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
