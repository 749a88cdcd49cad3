import type { Reply } from "../delivery.ts";
import type { RejectionCode } from "../errors.ts";
import type { Registration } from "../router/router.ts";
import type { Accepted } from "./accepted.ts";
import { quoted } from "./log.ts";
import type { DeliveryContext } from "./outcome.ts";
import type { HandlingSettings } from "./process.ts";
import { refusal, replyTo, replyToSettled, UNHANDLED } from "./reply.ts";
import { callHandler, claimHandler, codeOf, Interruption, runAndSettle, runsElsewhere } from "./run-handler.ts";

/** Which handler runs now, or ran last: for the log. */
interface Progress {
  handler: string;
}

/**
 * Runs the handlers of an accepted event, settles its claim and makes the reply. When that takes longer than `maxProcessingMs` or
 * the deadline allows, the reply is 503 `handler_timeout`, and the handlers' result still counts once it is there. Never rejects.
 */
export function dispatch(accepted: Accepted, settings: HandlingSettings): Promise<Reply> {
  const handlers = settings.router.matching(accepted.event.type);
  const progress: Progress = { handler: handlers[0]?.name ?? "" };
  const work = runAndReply(accepted, handlers, settings, progress).catch(() => {
    // What a handler throws may be impossible to look at: a revoked Proxy throws at every touch.
    logFailure("handler_failed", accepted, progress);
    return fail(accepted, "handler_failed");
  });
  accepted.claim.settings.waitUntil?.(work);
  return new Promise((resolve) => {
    accepted.claim.onceTimedOut(() => {
      logFailure("handler_timeout", accepted, progress);
      resolve(refused(accepted, "handler_timeout"));
    });
    void work.then(resolve);
  });
}

type Handlers = readonly Registration<DeliveryContext>[];

async function runAndReply(
  accepted: Accepted,
  handlers: Handlers,
  settings: HandlingSettings,
  progress: Progress,
): Promise<Reply> {
  if (settings.router.empty) return noHandlers(accepted);
  if (handlers.length === 0) return unhandled(accepted, settings);
  try {
    await runAll(accepted, handlers, settings, progress);
  } catch (thrown) {
    return failWith(accepted, thrown, progress);
  }
  const settled = await accepted.settleClaim("processed");
  const reply = replyToSettled(settled) ?? replyTo(accepted);
  accepted.report(undefined, { status: reply.status, settled });
  return reply;
}

/** Runs the handlers one after the other, and stops at the first that fails. */
async function runAll(
  accepted: Accepted,
  handlers: Handlers,
  settings: HandlingSettings,
  progress: Progress,
): Promise<void> {
  // A single handler needs no memory of its own: the event's completion says the same.
  const remember = handlers.length > 1 && accepted.context.deduplicated;
  for (const registration of handlers) {
    const { name } = registration;
    progress.handler = name;
    const { abortedWith } = accepted.claim;
    if (handlers.length > 1 && abortedWith !== undefined) throw abortedWith;
    if (remember)
      await runOnce(accepted, name, (context) => callHandler(registration, accepted.event, context, settings));
    else await callHandler(registration, accepted.event, accepted.context, settings);
  }
}

/** Runs one of several handlers under a claim of its own, so that a retry of the event runs only those that have not succeeded. */
async function runOnce(accepted: Accepted, name: string, run: (context: DeliveryContext) => unknown): Promise<void> {
  const claim = await claimHandler(accepted.claim.key, name, accepted.claim.settings);
  if (claim.status === "completed") return;
  // A process that lost its claim on the event is still in this handler.
  if (claim.status === "in_flight") throw runsElsewhere();
  await runAndSettle(claim, () => run(accepted.contextFor(claim)));
}

function noHandlers(accepted: Accepted): Promise<Reply> {
  accepted.claim.settings.log.error(
    "no_handlers",
    "no_handlers: a delivery arrived, but no handler is registered; call receiver.on(...) at start-up",
  );
  return fail(accepted, "no_handlers");
}

/** The claim is released: a replay after the handler is deployed must run. */
async function unhandled(accepted: Accepted, { onUnhandled }: HandlingSettings): Promise<Reply> {
  const type = quoted(accepted.event.type);
  const answered = onUnhandled === "reject" ? '500 (onUnhandled is "reject")' : 200;
  accepted.claim.settings.log.once(
    `unhandled ${type}`,
    `unhandled: no handler matches events of type ${type}; answered ${answered} and not remembered`,
  );
  if (onUnhandled === "reject") return fail(accepted, "unhandled");
  const settled = await accepted.settleClaim("failed");
  accepted.report("unhandled", { status: UNHANDLED.status, settled });
  return UNHANDLED;
}

function failWith(accepted: Accepted, thrown: unknown, progress: Progress): Promise<Reply> {
  if (thrown instanceof Interruption) return fail(accepted, thrown.code, thrown.cause);
  const code = codeOf(thrown, accepted.claim);
  if (code === "handler_failed") logFailure(code, accepted, progress, thrown ?? String(thrown));
  return fail(accepted, code, thrown);
}

async function fail(accepted: Accepted, code: RejectionCode, error?: unknown): Promise<Reply> {
  const settled = await accepted.settleClaim("failed");
  return refused(accepted, code, { error, settled });
}

function refused(accepted: Accepted, code: RejectionCode, result: object = {}): Reply {
  const reply = refusal(code);
  accepted.report(code, { ...result, status: reply.status });
  return reply;
}

const FAILED = { handler_failed: "failed", handler_timeout: "did not finish in time" } as const;

function logFailure(code: keyof typeof FAILED, accepted: Accepted, progress: Progress, thrown?: unknown): void {
  const handler = quoted(progress.handler);
  const type = quoted(accepted.event.type);
  accepted.claim.settings.log.failure(
    `${code}: handler ${handler}, type ${type}`,
    () => {
      const event = quoted(accepted.context.eventKey, 200);
      return `${code}: handler ${handler} ${FAILED[code]} for event ${event} of type ${type}; Bluum retries it`;
    },
    thrown,
  );
}
