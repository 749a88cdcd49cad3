import type { Delivery, Reply } from "../delivery.ts";
import type { EventOf } from "../events/event.ts";
import type { Pattern } from "../events/pattern.ts";
import type { InboxAttempt, InboxWorker } from "../inbox/inbox.ts";
import type { DeliveryContext, Outcome } from "./outcome.ts";

/** Receives the deliveries of one webhook endpoint. Make one with {@link createReceiver}, at start-up, and share it. */
export interface Receiver {
  /**
   * Verifies, parses and claims one delivery, for middleware: the caller does the work and settles. It never rejects for
   * anything that a sender can cause.
   *
   * @throws WebhookError `configuration_invalid` with the option `inbox`: then handlers do the work, see `handle`
   */
  receive(delivery: Delivery): Promise<Outcome>;
  /**
   * Receives, runs the handlers, settles and makes the reply, as `bluumHandler` does; with the option `inbox` it stores the event
   * instead of running the handlers. Never rejects.
   */
  handle(delivery: Delivery): Promise<Reply>;
  /**
   * Registers a handler for a pattern or several: `"order.filled"`, `"order.*"`, `"transfer.deposit.*"`, `"*"`. Handlers
   * that match one event run one after the other, in order of registration.
   *
   * @param options.name under which this handler's success is remembered where several match one event. By default the
   *   patterns and an ordinal; name your handlers if you may reorder them while events are being retried
   * @throws WebhookError `registration_refused` for an invalid pattern, for a name that is taken, and after the first delivery
   */
  on<const P extends string>(
    pattern: Pattern<P> | readonly Pattern<P>[],
    handler: (event: EventOf<P>, context: DeliveryContext) => unknown,
    options?: { readonly name?: string },
  ): Receiver;
  /** The patterns that have handlers: what to subscribe the endpoint to. */
  patterns(): string[];
  /**
   * Starts a worker that runs the handlers of the events in the inbox: here, or in another process with the same inbox, namespace and
   * handlers. `close` of the receiver closes it, too.
   *
   * @param options.concurrency how many events are processed at once. @default 10
   * @param options.pollMs how often to look for events that another process stored, in milliseconds, in inboxes that are not told of
   *   them. @default 1_000
   * @throws WebhookError `configuration_invalid` without the option `inbox`, or before any handler is registered; `receiver_closed`
   *   after `close`
   */
  work(options?: { readonly concurrency?: number; readonly pollMs?: number }): InboxWorker;
  /**
   * Runs the handlers of one stored event, for a worker of your own: see `bluum-webhooks/inbox/queue`. Each handler's success is
   * remembered: a message that is delivered twice runs no handler twice.
   *
   * @param message what `add` of the inbox was given, as an object
   * @param run.attempt what handlers see as `context.attempt`. @default 1 of 1
   * @param run.signal aborts `context.signal`, too; no further handler is started then
   * @throws what the handler threw, or a WebhookError; then the event is not processed, and your queue delivers the message again. A
   *   `ParkEvent` asks to park it at once
   */
  process(message: unknown, run?: { readonly attempt?: InboxAttempt; readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Forgets one event and the success of its handlers, so that a deliberate replay of it runs again. With an inbox, call it where the
   * handlers are registered.
   *
   * @returns true where the store knew the event
   * @throws WebhookError `configuration_invalid` where the store cannot forget, and with an inbox where no handler is registered; or what
   *   the store throws
   */
  forget(event: { readonly type: string; readonly id: string }): Promise<boolean>;
  /**
   * Refuses new deliveries with 503 `receiver_closed`, waits for running handlers and pending completions, and closes the
   * store if the receiver made it itself.
   *
   * @param options.timeoutMs how long to wait, in milliseconds. @default 30_000
   * @throws WebhookError `configuration_invalid` where that is not a number
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}
