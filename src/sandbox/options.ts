import { ANSWER_TIMEOUT_MS } from "../bluum/retry-schedule.ts";
import { bluumSignature } from "../bluum/signature.ts";
import type { SignatureScheme } from "../schemes/scheme.ts";
import type { SqliteDatabase } from "../stores/sqlite/database.ts";
import { checks } from "./checks.ts";
import { type FaultMix, type FaultPlan, faultMix } from "./deliveries/faults.ts";
import type { Change } from "./page-api.ts";
import type { ErrorShape, ListShape, ResponseShape } from "./server/shapes.ts";

/** How a sandbox listens, signs and behaves; see `createSandbox`. */
export interface SandboxOptions {
  /**
   * The port; 0 for any free one.
   * @default 0
   */
  readonly port?: number;
  /**
   * The address to listen on. Everyone who can reach it sees every secret and can send any event.
   * @default "127.0.0.1"
   */
  readonly host?: string;
  /**
   * How much faster than the wall the sandbox's clock runs, timeouts included: with 60 a minute takes a second. With 0 it stands still until
   * `advance` or `settled` puts it forward. From 0 to 100,000.
   * @default 1
   */
  readonly speed?: number;
  /**
   * How deliveries are signed.
   * @default bluumSignature()
   */
  readonly scheme?: SignatureScheme;
  /**
   * Whether payloads carry an event id at the top, as `id`. Bluum's documented payload has none.
   * @default false
   */
  readonly eventIds?: boolean;
  /**
   * The shape of webhooks in the management API.
   * @default "detailed"
   */
  readonly responseShape?: ResponseShape;
  /**
   * The shape of lists in the management API.
   * @default "list" with `responseShape: "flat"`, else "wrapped"
   */
  readonly listShape?: ListShape;
  /**
   * The shape of errors in the management API.
   * @default "nested"
   */
  readonly errorShape?: ErrorShape;
  /** The tenant's API key. @default that of the state, or a random one */
  readonly apiKey?: string;
  /** The tenant's API secret. @default that of the state, or a random one */
  readonly apiSecret?: string;
  /**
   * The seed of faults and jitter.
   * @default a random one
   */
  readonly seed?: number;
  /** The faults of deliveries from the start; see `Sandbox.faults`. @default none */
  readonly faults?: FaultPlan;
  /** A file for the state, opened with `node:sqlite` or else your better-sqlite3 or libsql. @default memory only */
  readonly statePath?: string;
  /** A SQLite connection for the state, instead of `statePath`: of libsql, better-sqlite3 or node:sqlite. `close` leaves it open. */
  readonly database?: SqliteDatabase;
  /**
   * How long an answer may take, in milliseconds of the sandbox's time; on the wall it is that divided by `speed`.
   * @default 30_000
   */
  readonly timeoutMs?: number;
  /**
   * How many deliveries are remembered. If there are more, the oldest are forgotten, finished ones first.
   * @default 10_000
   */
  readonly maxDeliveries?: number;
  /** Called with every change, such as a delivery's new state. Errors that it throws are ignored. */
  readonly observe?: (change: Change) => void;
  /**
   * Called once with a message when the state cannot be written any more.
   * @default console.warn
   */
  readonly warn?: (message: string) => void;
  /**
   * The wall clock, in epoch milliseconds. It dates payloads and signatures at any `speed`, since receivers check them by it.
   * @default Date.now
   */
  readonly now?: () => number;
}

/** An endpoint to be registered; see `Sandbox.endpoint`. */
export interface EndpointOptions {
  /** Where deliveries are sent: https, or http on this machine. */
  readonly url: string;
  /**
   * The events that it subscribes to: names, or wildcards such as `order.*`.
   * @default ["*"]
   */
  readonly eventTypeNames?: readonly string[];
  /** @default "sandbox" */
  readonly name?: string;
  /** @default "ACTIVE" */
  readonly status?: "ACTIVE" | "INACTIVE";
  /** @default a random one, in a form that the scheme accepts */
  readonly secret?: string;
}

/** What to send besides the event's name; see `Sandbox.send`. */
export interface SendOptions {
  /** Fields that replace those of the sample, one level deep. */
  readonly data?: object;
  /** The faults of this event's deliveries. @default those set by `Sandbox.faults` */
  readonly faults?: FaultPlan;
}

/** The options with their defaults filled in. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly speed: number;
  readonly scheme: SignatureScheme;
  readonly eventIds: boolean;
  readonly responseShape: ResponseShape;
  readonly listShape: ListShape;
  readonly errorShape: ErrorShape;
  readonly seed: number;
  readonly faults: FaultMix;
  readonly timeoutMs: number;
  readonly maxDeliveries: number;
  readonly warn: (message: string) => void;
  readonly now: () => number;
}

const NAMES: readonly (keyof SandboxOptions)[] = [
  ...(["port", "host", "speed", "scheme", "eventIds", "responseShape", "listShape", "errorShape"] as const),
  ...(["apiKey", "apiSecret", "seed", "faults", "statePath", "database", "timeoutMs", "maxDeliveries"] as const),
  ...(["observe", "warn", "now"] as const),
];

/**
 * Checks options, and fills in the defaults.
 *
 * @throws WebhookError `configuration_invalid`, naming the option
 */
export function settingsFrom(options: SandboxOptions): Settings {
  checks.names(options, NAMES);
  const { responseShape = "detailed", scheme = bluumSignature() } = options;
  const speed = numberFrom("speed", options.speed ?? 1, 0, 100_000);
  if (typeof scheme?.sign !== "function") throw checks.invalid("scheme", "must be a signature scheme");
  return {
    ...{ speed, scheme, host: hostFrom(options.host ?? "127.0.0.1"), eventIds: options.eventIds ?? false },
    port: checks.integer("port", options.port ?? 0, 0, 65_535),
    responseShape: checks.oneOf("responseShape", responseShape, ["flat", "wrapped", "detailed"]),
    listShape: checks.oneOf("listShape", options.listShape ?? (responseShape === "flat" ? "list" : "wrapped"), [
      "list",
      "wrapped",
    ]),
    errorShape: checks.oneOf("errorShape", options.errorShape ?? "nested", ["nested", "flat"]),
    seed: checks.integer("seed", options.seed ?? Math.floor(Math.random() * 2 ** 32), 0, 2 ** 32 - 1),
    faults: faultMix(options.faults ?? []),
    timeoutMs: numberFrom("timeoutMs", options.timeoutMs ?? ANSWER_TIMEOUT_MS, 1, 600_000),
    maxDeliveries: checks.integer("maxDeliveries", options.maxDeliveries ?? 10_000, 1, 100_000),
    // biome-ignore lint/suspicious/noConsole: the default, which an option replaces
    warn: options.warn ?? ((message) => console.warn(message)),
    now: options.now ?? Date.now,
  };
}

/** Node takes an empty host for all addresses of the machine. */
function hostFrom(value: string): string {
  if (typeof value === "string" && value.trim() !== "") return value;
  throw checks.invalid("host", "must be an address or a name");
}

/** A number that need not be whole. */
function numberFrom(option: string, value: number, least: number, most: number): number {
  if (typeof value === "number" && value >= least && value <= most) return value;
  throw checks.invalid(option, `must be a number from ${least} to ${most}`);
}
