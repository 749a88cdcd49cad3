import { type BluumEventMap, type CatalogueEventType, KNOWN_EVENT_TYPES } from "../bluum/catalogue.ts";

/** An event name whose `data` has a type: the documented names, and those that you merged into {@link BluumEventMap}. */
export type KnownEventType = keyof BluumEventMap & string;

/**
 * The `type` of an event outside the catalogue. At run time it is a plain string; the enum exists only as a type. A string enum is
 * assignable to `string` but comparable to no literal. So comparing with a misspelt name does not compile, and a known name narrows
 * the event to its `data`; a branded string would do neither.
 */
declare enum OutsideCatalogue {
  type = "(a type outside the catalogue)",
}

export type { OutsideCatalogue };

type DomainOf<Type extends string> = Type extends `${infer Domain}.${string}` ? Domain : Type;
type ActionOf<Type extends string> = Type extends `${string}.${infer Action}` ? Action : "";

/** The fields that every event has. */
export interface BluumEventBase<Type extends string, Data, Domain extends string, Action extends string> {
  /** The id of the event: all its deliveries have the same. Not the id of the resource inside `data`. */
  readonly id: string;
  /** The event's name, such as `"order.filled"`. */
  readonly type: Type;
  /** The name up to its first dot: `"order"`. */
  readonly domain: Domain;
  /** The name after its first dot: `"filled"`, or `"deposit.completed"` of `"transfer.deposit.completed"`. Empty if there is no dot. */
  readonly action: Action;
  /** When it happened: the payload's `timestamp`, or `created_at` or `created` next to `data`; `undefined` if none can be read. */
  readonly occurredAt: Date | undefined;
  /** Bluum's object, unchanged: snake_case, amounts as decimal strings. */
  readonly data: Data;
  /** The whole parsed body. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** An event with a known name, such as `KnownEvent<"order.filled">`; by default the union of all of them. */
export type KnownEvent<Type extends KnownEventType = KnownEventType> = Type extends KnownEventType
  ? BluumEventBase<Type, BluumEventMap[Type], DomainOf<Type>, ActionOf<Type>>
  : never;

/** An event with a name outside the catalogue. That is normal: Bluum may send names that its documentation does not list. */
export type UnknownEvent = BluumEventBase<OutsideCatalogue, unknown, string, string>;

/**
 * Any event. Compare `type` with a name to narrow `data`. The `default` of a switch stays reachable, for events outside the
 * catalogue.
 */
export type BluumEvent = KnownEvent | UnknownEvent;

/** Whether a pattern is known only at run time: `string`, or a template such as `` `order.${string}` ``. */
export type IsOpen<P extends string> = Record<never, never> extends Record<P, true> ? true : false;

/** The event that a handler of this pattern gets. It includes unknown events if the pattern can match them. */
export type EventOf<P extends string> = P extends "*"
  ? BluumEvent
  : P extends KnownEventType
    ? KnownEvent<P>
    : IsOpen<P> extends true
      ? BluumEvent
      : P extends `${infer Prefix}.*`
        ? KnownEvent<Extract<KnownEventType, `${Prefix}.${string}`>> | UnknownEvent
        : UnknownEvent;

const known: ReadonlySet<string> = new Set(KNOWN_EVENT_TYPES);

/**
 * Whether an event's name is documented.
 *
 * Names that you merged into {@link BluumEventMap} are types only, so this function does not know them: `false` leaves them in the union.
 * Compare `event.type` to distinguish them from unknown events.
 */
export function isKnownEvent(event: BluumEvent): event is KnownEvent<CatalogueEventType> {
  return known.has(event.type);
}

/** Splits an event's name at its first dot. Without a dot, the whole name is the domain and the action is empty. */
export function domainAndAction(type: string): { domain: string; action: string } {
  const dot = type.indexOf(".");
  return dot === -1 ? { domain: type, action: "" } : { domain: type.slice(0, dot), action: type.slice(dot + 1) };
}
