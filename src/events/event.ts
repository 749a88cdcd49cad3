import { type BluumEventMap, type CatalogueEventType, KNOWN_EVENT_TYPES } from "../bluum/catalogue.ts";

/** The name of an event whose `data` has a type: the documented ones, and those that you merged into {@link BluumEventMap}. */
export type KnownEventType = keyof BluumEventMap & string;

/**
 * The `type` of an event outside the catalogue. It is a string at run time, and exists only as a type: a string enum is
 * assignable to `string` but comparable to no literal. So comparing with a misspelt name does not compile, and a known
 * name narrows the event to its own `data`; a branded string would do neither.
 */
declare enum OutsideCatalogue {
  type = "(a type outside the catalogue)",
}

export type { OutsideCatalogue };

type DomainOf<Type extends string> = Type extends `${infer Domain}.${string}` ? Domain : Type;
type ActionOf<Type extends string> = Type extends `${string}.${infer Action}` ? Action : "";

/** What every event has, whatever its type. */
export interface BluumEventBase<Type extends string, Data, Domain extends string, Action extends string> {
  /** Which event this is: the identity that duplicates share. Not the id of the resource inside `data`. */
  readonly id: string;
  /** The event's name, such as `"order.filled"`. */
  readonly type: Type;
  /** The name up to its first dot: `"order"`. */
  readonly domain: Domain;
  /** The name after its first dot: `"filled"`, or `"deposit.completed"` of `"transfer.deposit.completed"`. Empty where there is no dot. */
  readonly action: Action;
  /** When it happened, by the payload's `timestamp`, or `created_at` or `created` beside `data`; `undefined` where none can be read. */
  readonly occurredAt: Date | undefined;
  /** Bluum's own object, untouched: snake_case, amounts as decimal strings. */
  readonly data: Data;
  /** The whole parsed body. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** An event whose name is known, or the union of all of them; `KnownEvent<"order.filled">` is one. */
export type KnownEvent<Type extends KnownEventType = KnownEventType> = Type extends KnownEventType
  ? BluumEventBase<Type, BluumEventMap[Type], DomainOf<Type>, ActionOf<Type>>
  : never;

/** An event whose name no type knows. That is normal: Bluum may send names that its documentation does not list. */
export type UnknownEvent = BluumEventBase<OutsideCatalogue, unknown, string, string>;

/**
 * Any event. Compare `type` with a name to narrow `data`; the `default` of a switch stays reachable, for events that are
 * not in the catalogue.
 */
export type BluumEvent = KnownEvent | UnknownEvent;

/** A pattern that is settled only at run time: `string`, or a template with a hole such as `` `order.${string}` ``. */
export type IsOpen<P extends string> = Record<never, never> extends Record<P, true> ? true : false;

/** The event that a handler of this pattern gets. Unknown events are part of it wherever the pattern lets them through. */
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
 * Tells whether an event's name is a documented one.
 *
 * It knows nothing of names that you merged into {@link BluumEventMap}, since they leave no trace at run time. So its answer
 * `false` leaves those in the union: compare `event.type` to tell them from the unknown ones.
 */
export function isKnownEvent(event: BluumEvent): event is KnownEvent<CatalogueEventType> {
  return known.has(event.type);
}

/** Splits an event's name at its first dot. Without a dot, all of it is the domain and the action is empty. */
export function domainAndAction(type: string): { domain: string; action: string } {
  const dot = type.indexOf(".");
  return dot === -1 ? { domain: type, action: "" } : { domain: type.slice(0, dot), action: type.slice(dot + 1) };
}
