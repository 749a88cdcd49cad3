import { Buffer } from "node:buffer";
import { ignoreRejection, sleep } from "../async.ts";
import { isError, WebhookError } from "../errors.ts";
import type { BluumEvent } from "../events/event.ts";
import { isParkEvent } from "../inbox/failure.ts";
import type { InboxAttempt } from "../inbox/inbox.ts";
import { type InboxMessage, readMessage } from "../inbox/message.ts";
import type { Registration, Router } from "../router/router.ts";
import type { ReceiverTelemetry } from "../telemetry/telemetry.ts";
import { callHandler, type Observed } from "./call-handler.ts";
import type { Claim, ClaimSettings } from "./claim.ts";
import { type DeliveryFacts, HandlerContext } from "./context.ts";
import { claimHandler, Interruption, runAndSettle } from "./handler-claim.ts";
import { quoted, type ThrottledLog } from "./log.ts";
import type { DeliveryContext, IdentifiedBy } from "./outcome.ts";
import { parseEnvelope, toEvent } from "./parse.ts";
import type { DeliveryReport, ReportRecorder } from "./report.ts";

/** What running the handlers of a stored event needs of a receiver. */
export interface ProcessSettings {
  readonly router: Router<DeliveryContext>;
  readonly onUnhandled: "acknowledge" | "reject";
  readonly namespace: string;
  readonly parseJson: (text: string) => unknown;
  readonly claims: ClaimSettings;
  readonly telemetry: ReceiverTelemetry | undefined;
}

/** One run of a stored event. */
export interface Run {
  readonly attempt: InboxAttempt;
  readonly signal?: AbortSignal | undefined;
  /** True for the receiver's own worker. */
  readonly detached?: boolean;
}

/**
 * Runs the handlers of a stored event, one after the other, each under a claim of its own: one that has succeeded before does not
 * run again.
 *
 * @throws what the handler threw, as an Error; else a WebhookError that says why the event is not processed
 */
export async function processMessage(
  stored: unknown,
  run: Run,
  settings: ProcessSettings,
  report: ReportRecorder,
): Promise<void> {
  try {
    const message = ownMessage(stored, settings.namespace);
    const event = eventOf(message, settings);
    report.add({ type: event.type, eventId: event.id, attempt: run.attempt });
    const handlers = handlersOf(event, settings);
    if (handlers.length === 0) report.add({ code: "unhandled" });
    await runHandlers(handlers, event, message, { run, settings });
    report.lap("handleMs");
    report.send({ outcome: "processed" });
  } catch (thrown) {
    const error = asError(thrown);
    report.lap("handleMs");
    report.send({ outcome: "failed", code: codeOf(error), error });
    throw error;
  }
}

type Handlers = readonly Registration<DeliveryContext>[];

function ownMessage(stored: unknown, namespace: string): InboxMessage {
  const message = readMessage(stored);
  if (message.key.startsWith(`${namespace}/`)) return message;
  throw new WebhookError(
    "inbox_message_invalid",
    "a message of the inbox belongs to another namespace; give each receiver an inbox of its own",
  );
}

function eventOf({ body, type, id }: InboxMessage, { parseJson }: ProcessSettings): BluumEvent {
  return toEvent(parseEnvelope(Buffer.from(body), { parseJson, type }), id);
}

/** @throws WebhookError `no_handlers`, or `unhandled` where `onUnhandled` is `"reject"` */
function handlersOf({ type }: BluumEvent, { router, claims, onUnhandled }: ProcessSettings): Handlers {
  if (router.empty)
    throw new WebhookError("no_handlers", "no handler is registered; call receiver.on(...) at start-up");
  const handlers = router.matching(type);
  if (handlers.length === 0) refuseUnhandled(type, onUnhandled, claims.log);
  return handlers;
}

async function runHandlers(
  handlers: Handlers,
  event: BluumEvent,
  message: InboxMessage,
  { run, settings }: { readonly run: Run; readonly settings: ProcessSettings },
): Promise<void> {
  const { claims, telemetry } = settings;
  const facts = factsOf(message, run, settings.namespace);
  const { traceparent, tracestate } = message;
  const stored = { traceparent, tracestate, detached: run.detached };
  const endsAt = performance.now() + claims.maxProcessingMs;
  for (const registration of handlers) {
    run.signal?.throwIfAborted();
    const maxProcessingMs = Math.max(1, endsAt - performance.now());
    await runHandler(registration, event, {
      key: message.key,
      facts,
      signal: run.signal,
      claims: { ...claims, maxProcessingMs },
      observed: { telemetry, stored },
    });
  }
}

interface Work {
  readonly key: string;
  readonly facts: DeliveryFacts;
  readonly signal: AbortSignal | undefined;
  readonly claims: ClaimSettings;
  readonly observed: Observed;
}

async function runHandler(
  registration: Registration<DeliveryContext>,
  event: BluumEvent,
  { key, facts, signal, claims, observed }: Work,
): Promise<void> {
  const { name } = registration;
  const claim = await claimWhenFree(key, name, claims, signal);
  if (claim === "completed") return;
  const timeout = new Promise<never>((_, reject) => {
    claim.onceTimedOut(() => reject(new WebhookError("handler_timeout", "a handler took longer than maxProcessingMs")));
  });
  const context = new HandlerContext(facts, claim, claim);
  const unlink = linkSignal(signal, claim);
  const run = () => {
    signal?.throwIfAborted();
    return callHandler(registration, event, context, observed);
  };
  const work = runAndSettle(claim, run).finally(unlink);
  // Its result still counts after a timeout, but nobody waits for it.
  ignoreRejection(work);
  try {
    const settled = await Promise.race([work, timeout]);
    // Nobody waits for an answer here, and another attempt might run the handler again.
    if (settled === "unstored" && !(await claim.recordedLate())) throw new Interruption("store_unavailable");
  } catch (thrown) {
    const error = asError(thrown);
    if (!isParkEvent(error)) logFailure(claims.log, name, event.type, facts, error);
    throw error;
  }
}

/**
 * Aborts the signal of a claim with another one. It listens only while the handler runs: a signal may last as long as the process, and
 * `AbortSignal.any` would keep something of each event on it.
 */
function linkSignal(signal: AbortSignal | undefined, claim: Claim): () => void {
  if (signal === undefined) return () => {};
  const abort = () => claim.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return () => signal.removeEventListener("abort", abort);
}

const WAIT_MS = 1_000;

/** Claims a handler's run. The claim of a worker that died stands until its lease expires: it is waited for, which costs no attempt. */
async function claimWhenFree(
  key: string,
  name: string,
  claims: ClaimSettings,
  signal: AbortSignal | undefined,
): Promise<Claim | "completed"> {
  const until = performance.now() + 2 * claims.leaseMs;
  for (;;) {
    const claim = await claimHandler(key, name, claims);
    if (claim.status === "completed") return "completed";
    if (claim.status !== "in_flight") return claim;
    if (performance.now() >= until || signal?.aborted) throw new Interruption("event_in_flight");
    await sleep(Math.min(claim.remainingMs, WAIT_MS) + 10 * Math.random());
  }
}

function factsOf(message: InboxMessage, { attempt }: Run, namespace: string): DeliveryFacts {
  return {
    eventId: message.id,
    eventKey: message.key.slice(namespace.length + 1),
    identifiedBy: message.identifiedBy as IdentifiedBy,
    rawBody: Buffer.from(message.body),
    headers: message.headers ?? {},
    receivedAt: new Date(message.receivedAt),
    secretIndex: message.secretIndex,
    attempt,
  };
}

function refuseUnhandled(type: string, onUnhandled: "acknowledge" | "reject", log: ThrottledLog): void {
  const name = quoted(type);
  if (onUnhandled === "reject") throw new WebhookError("unhandled", `no handler matches events of type ${name}`);
  log.once(`unhandled ${name}`, `unhandled: no handler matches events of type ${name}; removed from the inbox`);
}

function logFailure(log: ThrottledLog, handler: string, type: string, facts: DeliveryFacts, error: Error): void {
  const { number, of } = facts.attempt;
  const code = codeOf(error);
  const topic = `${code}: handler ${quoted(handler)}, type ${quoted(type)}`;
  const line = () =>
    `${code}: handler ${quoted(handler)} failed for event ${quoted(facts.eventKey, 200)} of type ${quoted(type)} in attempt ${number} of ${of}`;
  log.failure(topic, line, error);
}

const INTERRUPTED: Readonly<Partial<Record<DeliveryReport["code"] & string, string>>> = {
  event_in_flight: "another worker runs the handler, or has taken it over",
  completion_rolled_back: "a handler returned, but the transaction with its completion was rolled back",
  store_unavailable: "the store failed to claim a handler's run, or to record that it succeeded",
};

/** Engines look at what they get, and a handler may throw what cannot be looked at, such as a revoked Proxy. */
function asError(thrown: unknown): Error {
  try {
    if (thrown instanceof Interruption) {
      const details = thrown.cause === undefined ? {} : { cause: thrown.cause };
      return new WebhookError(thrown.code, INTERRUPTED[thrown.code] ?? thrown.code, details);
    }
    if (isError(thrown)) return thrown;
    return new WebhookError("handler_failed", `a handler threw ${quoted(String(thrown))}`);
  } catch {
    return new WebhookError("handler_failed", "a handler threw something that is no error");
  }
}

function codeOf(error: Error): NonNullable<DeliveryReport["code"]> {
  return error instanceof WebhookError ? error.code : "handler_failed";
}
