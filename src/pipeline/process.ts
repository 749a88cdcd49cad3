import { Buffer } from "node:buffer";
import { ignoreRejection, sleep } from "../async.ts";
import { isError, WebhookError, type WebhookErrorCode } from "../errors.ts";
import type { BluumEvent } from "../events/event.ts";
import { isParkEvent } from "../inbox/failure.ts";
import type { InboxAttempt } from "../inbox/inbox.ts";
import { type InboxMessage, readMessage } from "../inbox/message.ts";
import type { Registration, Router } from "../router/router.ts";
import type { ReceiverTelemetry } from "../telemetry/telemetry.ts";
import type { Claim, ClaimSettings } from "./claim.ts";
import { type DeliveryFacts, HandlerContext } from "./context.ts";
import { quoted, type ThrottledLog } from "./log.ts";
import type { DeliveryContext, IdentifiedBy } from "./outcome.ts";
import { parseEnvelope, toEvent } from "./parse.ts";
import type { ReportRecorder } from "./report.ts";
import { callHandler, claimHandler, codeOf, Interruption, runAndSettle, runsElsewhere } from "./run-handler.ts";

/** What running handlers needs of a receiver. */
export interface HandlingSettings {
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
  settings: HandlingSettings,
  report: ReportRecorder,
): Promise<void> {
  try {
    const message = ownMessage(stored, settings.namespace);
    const rawBody = Buffer.from(message.body);
    const { parseJson } = settings;
    const event = toEvent(parseEnvelope(rawBody, { parseJson, type: message.type }), message.id);
    report.add({ type: event.type, eventId: event.id, attempt: run.attempt });
    const handlers = handlersOf(event, settings);
    if (handlers.length === 0) report.add({ code: "unhandled" });
    const facts = factsOf(message, rawBody, run, settings.namespace);
    await runHandlers(handlers, { event, message, facts, run, settings, report });
    report.lap("handleMs");
    report.send({ outcome: "processed" });
  } catch (thrown) {
    const error = asError(thrown);
    report.lap("handleMs");
    report.send({ outcome: "failed", code: error instanceof WebhookError ? error.code : "handler_failed", error });
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

/** @throws WebhookError `no_handlers`, or `unhandled` where `onUnhandled` is `"reject"` */
function handlersOf({ type }: BluumEvent, { router, claims, onUnhandled }: HandlingSettings): Handlers {
  if (router.empty)
    throw new WebhookError("no_handlers", "no handler is registered; call receiver.on(...) at start-up");
  const handlers = router.matching(type);
  if (handlers.length === 0) unhandled(type, onUnhandled, claims.log);
  return handlers;
}

/** What the handlers of one run have in common. */
interface Work {
  readonly event: BluumEvent;
  readonly message: InboxMessage;
  readonly facts: DeliveryFacts;
  readonly run: Run;
  readonly settings: HandlingSettings;
  readonly report: ReportRecorder;
}

async function runHandlers(handlers: Handlers, work: Work): Promise<void> {
  const { claims } = work.settings;
  const until = performance.now() + claims.maxProcessingMs;
  for (const registration of handlers) {
    work.run.signal?.throwIfAborted();
    const maxProcessingMs = Math.max(1, until - performance.now());
    await runHandler(registration, work, { ...claims, maxProcessingMs });
  }
}

async function runHandler(
  registration: Registration<DeliveryContext>,
  { event, message, facts, run: { signal, detached }, settings: { telemetry }, report }: Work,
  claims: ClaimSettings,
): Promise<void> {
  const { name } = registration;
  const { key, traceparent, tracestate } = message;
  const claim = await claimWhenFree(key, name, claims, signal);
  if (claim === "completed") return;
  const timeout = new Promise<never>((_, reject) => {
    claim.onceTimedOut(() => reject(new Interruption("handler_timeout", TOO_LONG)));
  });
  const context = new HandlerContext(facts, claim, claim);
  const unlink = linkSignal(signal, claim);
  const run = () => {
    signal?.throwIfAborted();
    return callHandler(registration, event, context, { telemetry, stored: { traceparent, tracestate, detached } });
  };
  const working = runAndSettle(claim, run).finally(unlink);
  // Its result still counts after a timeout, but nobody waits for it.
  ignoreRejection(working);
  try {
    const settled = await Promise.race([working, timeout]);
    // Nobody waits for an answer here, and another attempt might run the handler again.
    if (settled === "unstored" && !(await claim.recordedLate()))
      throw new Interruption("store_unavailable", UNRECORDED);
  } catch (thrown) {
    const error = asError(thrown);
    const closing = thrown === signal?.reason && error instanceof WebhookError;
    const code = closing ? error.code : codeOf(thrown, claim);
    report.add({ code });
    if (!isParkEvent(error)) logFailure(claims.log, code, { handler: name, type: event.type, facts, error });
    throw error;
  }
}

const TOO_LONG = "the handlers took longer than maxProcessingMs";
const UNRECORDED = "the store did not record that a handler succeeded";

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
    if (performance.now() >= until || signal?.aborted) throw runsElsewhere();
    await sleep(Math.min(claim.remainingMs, WAIT_MS) + 10 * Math.random());
  }
}

function factsOf(message: InboxMessage, rawBody: Uint8Array, { attempt }: Run, namespace: string): DeliveryFacts {
  return {
    eventId: message.id,
    eventKey: message.key.slice(namespace.length + 1),
    identifiedBy: message.identifiedBy as IdentifiedBy,
    rawBody,
    headers: message.headers ?? {},
    receivedAt: new Date(message.receivedAt),
    secretIndex: message.secretIndex,
    attempt,
  };
}

function unhandled(type: string, onUnhandled: "acknowledge" | "reject", log: ThrottledLog): void {
  const name = quoted(type);
  if (onUnhandled === "reject") throw new WebhookError("unhandled", `no handler matches events of type ${name}`);
  log.once(`unhandled ${name}`, `unhandled: no handler matches events of type ${name}; removed from the inbox`);
}

interface Failure {
  readonly handler: string;
  readonly type: string;
  readonly facts: DeliveryFacts;
  readonly error: Error;
}

function logFailure(log: ThrottledLog, code: WebhookErrorCode, { handler, type, facts, error }: Failure): void {
  const { number, of } = facts.attempt;
  const topic = `${code}: handler ${quoted(handler)}, type ${quoted(type)}`;
  const line = () =>
    `${code}: handler ${quoted(handler)} failed for event ${quoted(facts.eventKey, 200)} of type ${quoted(type)} in attempt ${number} of ${of}`;
  log.failure(topic, line, error);
}

/** Engines look at what they get, and a handler may throw what cannot be looked at, such as a revoked Proxy. */
function asError(thrown: unknown): Error {
  try {
    if (thrown instanceof Interruption) {
      const details = thrown.cause === undefined ? {} : { cause: thrown.cause };
      return new WebhookError(thrown.code, thrown.message, details);
    }
    return isError(thrown) ? thrown : new WebhookError("handler_failed", NO_ERROR, { cause: thrown });
  } catch {
    return new WebhookError("handler_failed", NO_ERROR);
  }
}

const NO_ERROR = "a handler threw a value that is no error";
