import { behaviourOf, type ParsedCapture } from "./events.ts";

/** How a header is called whose id is the message's, by those who follow Standard Webhooks. */
const MESSAGE_ID = /(^|-)(webhook|svix|message|msg|event)-?id$/;

/**
 * Whether a signed id names the event, so that a receiver may dedupe by it. Only what was seen in a retry counts, or a name
 * that says so: an id of the attempt would make every retry a new event.
 */
export function isEventsId(
  header: string,
  events: readonly (readonly ParsedCapture[])[],
  read: (one: ParsedCapture) => string | undefined,
): boolean {
  const { always, differs, staysInRetries } = behaviourOf(events, read);
  if (events.length === 0 || !always || !differs || !staysInRetries) return false;
  const retried = events.some((deliveries) => deliveries.length > 1);
  return (retried && events.length > 1) || MESSAGE_ID.test(header);
}
