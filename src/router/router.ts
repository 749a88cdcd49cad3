import { WebhookError } from "../errors.ts";
import type { BluumEvent } from "../events/event.ts";
import { assertPattern, patternsMatching } from "../events/pattern.ts";

/** The type of the signed event that checks a mount. It is answered after verifying and parsing, never claimed or routed. */
export const PING_TYPE = "bluum-webhooks.ping";

/** Handles one event. If it returns or its promise fulfils, the event is processed; if it throws or rejects, it failed. */
export type Handler<Context> = (event: BluumEvent, context: Context) => unknown;

/** A registered handler. */
export interface Registration<Context> {
  /** The unique name under which its success is remembered. */
  readonly name: string;
  readonly handler: Handler<Context>;
  /** Its place in the order of registration, from 0. */
  readonly ordinal: number;
}

/** Finds the handlers of an event, in order of registration. */
export class Router<Context> {
  readonly #byPattern = new Map<string, Registration<Context>[]>();
  readonly #names = new Set<string>();

  /**
   * Registers a handler for one or more patterns. It runs once for an event that several of them match.
   *
   * @param name unique in this router. @default the patterns and a number, such as `order.*:1`
   * @throws WebhookError `registration_refused` for an invalid pattern, a handler that is not a function or is a generator, or a name that
   *   is taken
   */
  on(patterns: string | readonly string[], handler: Handler<Context>, name?: string): void {
    const list = [...new Set(Array.isArray(patterns) ? patterns : [patterns])];
    if (list.length === 0) throw refused("on() was given an empty list of patterns");
    list.forEach(assertPattern);
    if (list.includes(PING_TYPE))
      throw refused(`${PING_TYPE} is answered by the receiver itself and never reaches a handler`);
    if (typeof handler !== "function") throw refused("the handler given to on() is not a function");
    if (isGenerator(handler))
      throw refused("the handler given to on() is a generator function: calling it would not run it");

    // Names are unique, so their number is the number of registrations.
    const registration = { ordinal: this.#names.size, name: this.#claimName(name, list), handler };
    for (const pattern of list) this.#registered(pattern).push(registration);
  }

  /** Every pattern that has a handler, in order of registration. */
  patterns(): string[] {
    return [...this.#byPattern.keys()];
  }

  /** Whether no handler is registered. */
  get empty(): boolean {
    return this.#byPattern.size === 0;
  }

  /** The handlers for an event type, in order of registration, each once. */
  matching(type: string): readonly Registration<Context>[] {
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
      throw refused("the name given to on() is empty, not a string, or taken by another handler");
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
