import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Span } from "./evidence.ts";

/** The settings of all receivers of a storm. */
export interface ReceiverConfig {
  readonly kind: string;
  readonly flaw?: string | undefined;
  /** The store's URL, or its file. */
  readonly address: string;
  /** The built package, as a URL. */
  readonly dist: string;
  /** Where effects and journals are written. */
  readonly directory: string;
  readonly leaseMs: number;
  readonly secret: string;
}

interface Receiver {
  readonly name: string;
  readonly child: ChildProcess;
  port: number;
  stopped: boolean;
  gone: boolean;
}

const SCRIPT = fileURLToPath(new URL("receiver.mjs", import.meta.url));
const READY_WITHIN_MS = 20_000;

/** The receiver processes, one for each slot. A process that ends is started again. */
export class Fleet {
  /** When which process was killed. */
  readonly kills = new Map<string, number>();
  /** When which process was stopped from outside. */
  readonly stops: Span[] = [];
  /** How processes ended that the storm had not killed. */
  readonly crashes: string[] = [];
  readonly #config: ReceiverConfig;
  readonly #slots: Receiver[] = [];
  #incarnations = 0;
  #ending = false;
  /** Ends them when this process ends. */
  readonly #endAll = (): void => {
    for (const { child } of this.#slots) child.kill("SIGKILL");
  };

  constructor(config: ReceiverConfig) {
    this.#config = config;
  }

  async start(size: number): Promise<void> {
    process.once("exit", this.#endAll);
    const ready = Array.from({ length: size }, (_, slot) => this.#launch(slot));
    await Promise.race([
      Promise.all(ready),
      pause(READY_WITHIN_MS, undefined, { ref: false }).then(() => this.#refuse()),
    ]);
  }

  /** The port of a receiver, running or not. */
  portOf(chance: number): number {
    return this.#slots[Math.floor(chance * this.#slots.length)]?.port ?? 1;
  }

  /** Kills a receiver; it comes back after `downMs`. */
  async kill(slot: number, downMs: number): Promise<void> {
    const receiver = this.#well(slot);
    if (receiver === undefined) return;
    this.#downMs.set(receiver.name, downMs);
    receiver.child.kill("SIGKILL");
    if (!receiver.gone) await once(receiver.child, "exit");
  }

  /** Suspends a receiver for a while. */
  async stop(slot: number, forMs: number): Promise<void> {
    const receiver = this.#well(slot);
    if (receiver === undefined) return;
    const from = Date.now();
    receiver.stopped = true;
    receiver.child.kill("SIGSTOP");
    await pause(forMs);
    receiver.child.kill("SIGCONT");
    receiver.stopped = false;
    this.stops.push({ who: receiver.name, from, to: Date.now() });
  }

  async end(): Promise<void> {
    this.#ending = true;
    const gone = this.#slots.filter((receiver) => !receiver.gone).map(({ child }) => once(child, "exit"));
    this.#endAll();
    await Promise.all(gone);
    process.off("exit", this.#endAll);
  }

  readonly #downMs = new Map<string, number>();

  #well(slot: number): Receiver | undefined {
    const inTurn = [...this.#slots.slice(slot), ...this.#slots.slice(0, slot)];
    return inTurn.find(({ gone, stopped, port }) => !gone && !stopped && port > 1);
  }

  #launch(slot: number): Promise<void> {
    this.#incarnations += 1;
    const name = `${slot}.${this.#incarnations}`;
    const config = JSON.stringify({ ...this.#config, slot, name });
    const child = spawn(process.execPath, [SCRIPT, config], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    const receiver: Receiver = { name, child, port: 1, stopped: false, gone: false };
    this.#slots[slot] = receiver;
    let complaints = "";
    child.stderr?.on("data", (text) => {
      complaints = `${complaints}${text}`.slice(-2_000);
    });
    child.once("exit", (code, signal) => {
      receiver.gone = true;
      if (!this.#ending)
        void this.#replace(
          slot,
          name,
          signal === "SIGKILL" ? undefined : `${name} ended with ${signal ?? code}: ${complaints}`,
        );
    });
    return new Promise((resolve) => {
      child.once("message", ({ port }: { port: number }) => {
        receiver.port = port;
        resolve();
      });
    });
  }

  async #replace(slot: number, name: string, crash: string | undefined): Promise<void> {
    if (crash === undefined) this.kills.set(name, Date.now());
    else this.crashes.push(crash);
    // A process that cannot start must not be restarted forever.
    await pause(crash === undefined ? (this.#downMs.get(name) ?? 100) : 1_000);
    if (!this.#ending) await this.#launch(slot);
  }

  #refuse(): never {
    throw new Error(`the receivers did not start: ${this.crashes[0] ?? "no word from them"}`);
  }
}
