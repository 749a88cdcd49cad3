import { WebhookError } from "../errors.ts";
import type { BluumEvent } from "../events/event.ts";
import { assertPattern, patternsMatching } from "../events/pattern.ts";

/** The signed event that checks a mount: answered after verification and parsing, never claimed, never routed. */
export const PING_TYPE = "bluum-webhooks.ping";

/** Handles one event. Returning, or a promise that fulfils, means done; a throw or a rejection means failed. */
export type Handler<Context> = (event: BluumEvent, context: Context) => unknown;

/** A registered handler, under the name by which its success is remembered, and its place in the order of registration. */
export interface Registration<Context> {
  readonly name: string;
  readonly handler: Handler<Context>;
  readonly ordinal: number;
}

/** No provider has as many types. One that makes them up must not make the table grow. */
const MAX_TYPES = 1_000;

/** Which handlers an event goes to, and their order: that of registration. */
export class Router<Context> {
  readonly #byPattern = new Map<string, Registration<Context>[]>();
  readonly #names = new Set<string>();
  /** The handlers of types that came, found once. */
  readonly #byType = new Map<string, readonly Registration<Context>[]>();

  /**
   * Registers a handler for one pattern or several; it runs once for an event that several of them match.
   *
   * @param name by default the patterns, and an ordinal where these patterns were registered before
   * @throws WebhookError `registration_refused` for what is no pattern, no function that runs when it is called, or
   *   a name that is taken
   */
  on(patterns: string | readonly string[], handler: Handler<Context>, name?: string): void {
    const list = [...new Set(Array.isArray(patterns) ? patterns : [patterns])];
    if (list.length === 0) throw refused("on() was given an empty list of patterns");
    list.forEach(assertPattern);
    if (list.includes(PING_TYPE))
      throw refused(`${PING_TYPE} is answered by the receiver itself and goes to no handler`);
    if (typeof handler !== "function") throw refused("the handler given to on() is no function");
    if (isGenerator(handler))
      throw refused("the handler given to on() is a generator function: calling it runs nothing of it");

    // Every registration has a name of its own, so the names count them.
    const registration = { ordinal: this.#names.size, name: this.#claimName(name, list), handler };
    for (const pattern of list) this.#registered(pattern).push(registration);
    this.#byType.clear();
  }

  /** Every pattern that has a handler, in order of registration. */
  patterns(): string[] {
    return [...this.#byPattern.keys()];
  }

  /** Whether nothing is registered at all. */
  get empty(): boolean {
    return this.#byPattern.size === 0;
  }

  /** The handlers for an event type, in order of registration, each once. */
  matching(type: string): readonly Registration<Context>[] {
    const known = this.#byType.get(type);
    if (known !== undefined) return known;
    const found = this.#find(type);
    if (this.#byType.size < MAX_TYPES) this.#byType.set(type, found);
    return found;
  }

  /** Does not look at patterns that do not match. */
  #find(type: string): readonly Registration<Context>[] {
    const found = new Set(patternsMatching(type).flatMap((pattern) => this.#byPattern.get(pattern) ?? []));
    return [...found].sort((a, b) => a.ordinal - b.ordinal);
  }

  #registered(pattern: string): Registration<Context>[] {
    const list = this.#byPattern.get(pattern) ?? [];
    this.#byPattern.set(pattern, list);
    return list;
  }

  #claimName(name: string | undefined, patterns: readonly string[]): string {
    if (name !== undefined && (typeof name !== "string" || name === "" || this.#names.has(name))) {
      throw refused("the name given to on() is empty, no string, or another handler's");
    }
    const free = name ?? this.#nextDefaultName(patterns.join(","));
    this.#names.add(free);
    return free;
  }

  #nextDefaultName(base: string): string {
    let ordinal = 1;
    while (this.#names.has(`${base}:${ordinal}`)) ordinal++;
    return `${base}:${ordinal}`;
  }
}

function isGenerator(handler: unknown): boolean {
  return /^\[object (Async)?GeneratorFunction\]$/.test(Object.prototype.toString.call(handler));
}

function refused(problem: string): WebhookError {
  return new WebhookError("registration_refused", problem);
}
