/** The package's root in small: names, re-exported one by one. */
export { type BluumEventMap, type BluumOrder, KNOWN_EVENT_TYPES } from "../../../src/events/catalogue.ts";
export { type BluumEvent, isKnownEvent, type KnownEvent, type UnknownEvent } from "../../../src/events/event.ts";
export { type Receiver, receiver } from "../receiver.ts";
