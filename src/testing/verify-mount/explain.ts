import type { RejectionCode } from "../../errors.ts";
import { finding, type MountFinding } from "../mount-findings.ts";
import { type Answer, shown } from "./answer.ts";
import { compressedBody, parsedBody, truncatedBody } from "./body.ts";
import { skewedClock } from "./clock.ts";
import type { Mount } from "./mount.ts";
import { PING } from "./pings.ts";
import { noAnswer, notAllowed, notFound, notReceiver, redirected } from "./routing.ts";
import { malformedSignature, mismatch, noSignature } from "./signature.ts";

type Explain = (answer: Answer, mount: Mount) => MountFinding[] | Promise<MountFinding[]>;

/** Finds out why a signed ping was not answered as one. Sends more probes if the answer alone does not tell. */
export async function explain(answer: Answer, mount: Mount): Promise<MountFinding[]> {
  if (answer.failure !== undefined) return [noAnswer(answer)];
  const { code } = answer;
  if (code !== undefined && Object.hasOwn(BY_CODE, code)) return BY_CODE[code](answer, mount);
  return [await byStatus(answer, mount)];
}

const bytes = new TextEncoder().encode(PING).length;

const failed: Explain = (answer) => [finding("app_failed", `The receiver answers ${shown(answer)}.`)];
const notReady: Explain = (answer) => [finding("not_ready", `The receiver is there and answers ${shown(answer)}.`)];
const truncated: Explain = () => [truncatedBody(bytes, "the rest never reaches the receiver")];

/** Explanations of a receiver's own error codes. */
const BY_CODE: Readonly<Record<RejectionCode, Explain>> = {
  signature_missing: (_, mount) => noSignature(mount),
  signature_malformed: (_, mount) => malformedSignature(mount),
  signature_mismatch: (_, mount) => mismatch(mount),
  timestamp_out_of_tolerance: async (answer, mount) => {
    const { found, next } = await skewedClock(answer, mount);
    return next === undefined || next.ping ? [found] : [found, ...(await explain(next, mount))];
  },
  method_not_allowed: (answer) => [notAllowed(answer)],
  body_too_large: (answer) => [finding("body_limit", `Even a body of ${bytes} bytes is answered ${shown(answer)}.`)],
  content_encoding_unsupported: () => [compressedBody(bytes)],
  body_timeout: truncated,
  body_incomplete: truncated,
  body_already_parsed: async (answer, mount) => [await parsedBody(answer, mount)],
  receiver_busy: notReady,
  store_unavailable: notReady,
  secret_unavailable: notReady,
  inbox_unavailable: notReady,
  inbox_full: notReady,
  receiver_closed: notReady,
  event_in_flight: notReady,
  handler_timeout: notReady,
  // A verified ping never gets these, unless the parseJson option changes it.
  payload_not_utf8: failed,
  payload_not_json: failed,
  payload_not_event: failed,
  event_too_old: failed,
  receiver_failed: failed,
  handler_failed: failed,
  no_handlers: failed,
  unhandled: failed,
  event_type_failed: failed,
  event_id_failed: failed,
  completion_rolled_back: failed,
};

/** Explanations of answers that are not a receiver's. */
async function byStatus(answer: Answer, mount: Mount): Promise<MountFinding> {
  const { status } = answer;
  if (status >= 200 && status < 300) return notReceiver(answer, mount);
  if (status >= 300 && status < 400) return redirected(answer, mount);
  switch (status) {
    case 401:
    case 403:
    case 407:
    case 429:
      return finding("access_denied", `Something before the receiver answers ${shown(answer)}.`);
    case 404:
    case 410:
      return notFound(answer, mount);
    case 405:
      return notAllowed(answer);
    case 413:
      return finding("body_limit", `Even a body of ${bytes} bytes is answered ${shown(answer)}.`);
    case 502:
    case 503:
    case 504:
      return finding("not_ready", `A proxy before the app, or the app, answers ${shown(answer)}.`);
  }
  if (status >= 500) return finding("app_failed", `The app answers ${shown(answer)}.`);
  return finding("other_app", `The answer is not from a receiver: ${shown(answer)}.`);
}
