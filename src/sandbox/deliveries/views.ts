import { bodyView } from "../../page/server/body-view.ts";
import type { SignatureScheme } from "../../schemes/scheme.ts";
import { isAcknowledged } from "../endpoints/endpoint.ts";
import type { AttemptDetail, AttemptSummary, DeliveryDetail, DeliverySummary } from "../page-api.ts";
import { explain } from "../signing/explain.ts";
import { forgeryTitle } from "../signing/forgeries.ts";
import { messageIdOf } from "../signing/signed.ts";
import type { Answer, Attempt, Delivery } from "./delivery.ts";
import { receiversAnswer } from "./receivers-answer.ts";
import { resourceOf } from "./resource.ts";

/** A delivery as the list shows it. */
export function summaryOf(delivery: Delivery): DeliverySummary {
  const { id, type, eventId, endpointId, origin, state, createdAt, updatedAt, nextAttemptAt, replayed } = delivery;
  return {
    ...{ id, type, eventId, endpointId, origin, state, createdAt, updatedAt, nextAttemptAt, replayed },
    ...resourceOf(delivery.body),
    attempts: delivery.attempts.map(attemptSummary),
  };
}

/** One delivery with everything that was sent and answered. */
export function detailOf(delivery: Delivery, scheme: SignatureScheme): DeliveryDetail {
  return {
    ...summaryOf(delivery),
    body: bodyView(delivery.body),
    attempts: delivery.attempts.map((attempt) => attemptDetail(delivery, attempt, scheme)),
  };
}

function attemptSummary({ at, latencyMs, status, error, fault, answer }: Attempt): AttemptSummary {
  const unhandled = isAcknowledged(status) && answer !== null && receiversAnswer(answer.body.toString()).unhandled;
  return { at, latencyMs, status, error, fault, ...(unhandled ? { unhandled } : {}) };
}

function attemptDetail(delivery: Delivery, attempt: Attempt, scheme: SignatureScheme): AttemptDetail {
  const body = attempt.body ?? delivery.body;
  return {
    ...attemptSummary(attempt),
    request: { headers: attempt.headers, body: bodyView(body) },
    answer: attempt.answer === null ? null : answerView(attempt.answer),
    signature: explain({
      ...{ scheme, body, signed: attempt.signed, messageId: messageIdOf(delivery.eventId) },
      forgery: delivery.forgery === null ? null : forgeryTitle(delivery.forgery),
    }),
  };
}

function answerView({ headers, body, bytes }: Answer): AttemptDetail["answer"] {
  return { headers, body: bodyView(body, bytes) };
}
