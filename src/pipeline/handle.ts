import { type Eventual, isPending } from "../async.ts";
import type { Reply } from "../delivery.ts";
import { type RejectionCode, WebhookError } from "../errors.ts";
import type { Router } from "../router/router.ts";
import type { Accepted, End } from "./accepted.ts";
import type { ClaimTerms } from "./claim.ts";
import { handlerKey, storeKey } from "./identity.ts";
import { quoted } from "./log.ts";
import type { DeliveryContext, Settled } from "./outcome.ts";
import { refusal, replyTo, replyToSettled, UNHANDLED } from "./reply.ts";
import { type Taken, takeClaim } from "./take-claim.ts";

/** What handling needs of a receiver. */
export interface HandleSettings {
  readonly router: Router<DeliveryContext>;
  readonly namespace: string;
  readonly onUnhandled: "acknowledge" | "reject";
}

/**
 * Takes an accepted event through its handlers, settles the claim, and makes the answer; at once, where there is nothing to wait
 * for. When it takes longer than `maxProcessingMs`, or than this process lives, the answer is 503 `handler_timeout`, and the
 * handlers' result still counts once it is there. It never throws or rejects.
 */
export function handle(accepted: Accepted, settings: HandleSettings): Eventual<Reply> {
  const progress: Progress = { handler: settings.router.matching(accepted.event.type)[0]?.name ?? "" };
  const work = process(accepted, settings, progress);
  if (!isPending(work)) return work;
  return new Promise((resolve) => {
    const timedOut = () => {
      logFailure("handler_timeout", accepted, progress);
      resolve(conclude(accepted, "handler_timeout"));
    };
    accepted.claim.onTimeout({ timedOut });
    // What a handler throws may be impossible to look at: a revoked Proxy throws at every touch.
    const done = work.then(resolve, async () => {
      logFailure("handler_failed", accepted, progress);
      resolve(await giveBack(accepted, "handler_failed"));
    });
    accepted.claim.terms.waitUntil?.(done);
  });
}

/** Which handler runs now, or ran last. */
interface Progress {
  handler: string;
}

function process(accepted: Accepted, settings: HandleSettings, progress: Progress): Eventual<Reply> {
  const { router } = settings;
  const { log } = accepted.claim.terms;
  if (router.empty) {
    log.error(
      "no_handlers",
      "no_handlers: a delivery arrived, but no handler is registered; call receiver.on(...) at start-up",
    );
    return giveBack(accepted, "no_handlers");
  }
  let matched: Eventual<boolean>;
  try {
    matched = router.dispatch(accepted.event, accepted.context, (name, run) => {
      progress.handler = name;
      return runOnce(name, run, accepted, settings);
    });
  } catch (thrown) {
    return fail(accepted, thrown, progress);
  }
  return isPending(matched)
    ? matched.then(
        (any) => end(any, accepted, settings),
        (thrown: unknown) => fail(accepted, thrown, progress),
      )
    : end(matched, accepted, settings);
}

function end(matched: boolean, accepted: Accepted, settings: HandleSettings): Eventual<Reply> {
  return matched ? succeed(accepted) : unhandled(accepted, settings);
}

function succeed(accepted: Accepted): Eventual<Reply> {
  const settled = accepted.finish("processed");
  return isPending(settled) ? settled.then((found) => concluded(accepted, found)) : concluded(accepted, settled);
}

function concluded(accepted: Accepted, settled: Settled): Reply {
  const reply = replyToSettled(settled) ?? replyTo(accepted);
  accepted.conclude({ status: reply.status, settled });
  return reply;
}

/** Nothing happened to the event, so its claim is given back: a replay after the handler is deployed must run. */
async function unhandled(accepted: Accepted, { onUnhandled }: HandleSettings): Promise<Reply> {
  const type = quoted(accepted.event.type);
  const answered = onUnhandled === "reject" ? '500 (onUnhandled is "reject")' : 200;
  accepted.claim.terms.log.once(
    `unhandled ${type}`,
    `unhandled: no handler matches events of type ${type}; answered ${answered} and not remembered`,
  );
  if (onUnhandled === "reject") return giveBack(accepted, "unhandled");
  const settled = await accepted.finish("failed");
  accepted.conclude({ code: "unhandled", status: UNHANDLED.status, settled });
  return UNHANDLED;
}

async function fail(accepted: Accepted, thrown: unknown, progress: Progress): Promise<Reply> {
  if (thrown instanceof Interruption) return giveBack(accepted, thrown.code, thrown.cause);
  const code = codeOf(thrown, accepted);
  if (code === "handler_failed") logFailure(code, accepted, progress, thrown ?? String(thrown));
  return giveBack(accepted, code, thrown);
}

const FAILED = {
  handler_failed: "failed",
  handler_timeout: "did not finish in time",
} as const;

function logFailure(code: keyof typeof FAILED, accepted: Accepted, progress: Progress, thrown?: unknown): void {
  const handler = quoted(progress.handler);
  const type = quoted(accepted.event.type);
  accepted.claim.terms.log.failure(
    `${code}: handler ${handler}, type ${type}`,
    () => {
      const event = quoted(accepted.context.eventKey, 200);
      return `${code}: handler ${handler} ${FAILED[code]} for event ${event} of type ${type}; Bluum retries it`;
    },
    thrown,
  );
}

async function giveBack(accepted: Accepted, code: RejectionCode, error?: unknown): Promise<Reply> {
  const settled = await accepted.finish("failed");
  return conclude(accepted, code, { error, settled });
}

function conclude(accepted: Accepted, code: RejectionCode, end: Pick<End, "error" | "settled"> = {}): Reply {
  const reply = refusal(code);
  accepted.conclude({ ...end, code, status: reply.status });
  return reply;
}

/** A reason of the receiver's own while it went through the handlers; what handlers throw is never one of these. */
class Interruption {
  readonly code: RejectionCode;
  readonly cause: unknown;
  constructor(code: RejectionCode, cause?: unknown) {
    this.code = code;
    this.cause = cause;
  }
}

/** The code is ours alone to pick: whatever a handler throws, with whatever `status` on it, is `handler_failed`. */
function codeOf(thrown: unknown, { claim }: Accepted): RejectionCode {
  // A completeIn that found the claim gone has rolled its work back.
  if (thrown instanceof WebhookError && thrown.code === "claim_lost") return "event_in_flight";
  if (claim.ended === undefined || thrown !== claim.ended) return "handler_failed";
  return claim.ended.code === "handler_timeout" ? "handler_timeout" : "event_in_flight";
}

/**
 * One of several handlers: its success is remembered under its own key, by the same verbs as the event's, so that a retry
 * runs only those that have not succeeded.
 */
async function runOnce(
  name: string,
  run: (context: DeliveryContext) => unknown,
  accepted: Accepted,
  settings: HandleSettings,
): Promise<void> {
  if (accepted.claim.ended !== undefined) throw accepted.claim.ended;
  if (!accepted.context.deduplicated) {
    await run(accepted.context);
    return;
  }
  const { terms } = accepted.claim;
  const key = handlerKey(storeKey(settings.namespace, accepted.context.eventKey), name);
  const claim = await takeHandlersClaim(key, terms);
  if (claim.status === "completed") return;
  // A process that lost its claim on the event is still in this handler.
  if (claim.status === "in_flight") throw new Interruption("event_in_flight");
  try {
    await run(accepted.contextFor(claim));
  } catch (thrown) {
    await claim.settle("failed");
    throw thrown;
  }
  const settled = await claim.settle("processed");
  if (settled === "held_by_another") throw new Interruption("event_in_flight");
  if (settled === "rolled_back") throw new Interruption("completion_rolled_back");
}

async function takeHandlersClaim(key: string, terms: ClaimTerms): Promise<Taken> {
  try {
    return await takeClaim(key, terms);
  } catch (error) {
    terms.log.error("store_unavailable", "store_unavailable: the store failed between two handlers of an event", error);
    throw new Interruption("store_unavailable", error);
  }
}
