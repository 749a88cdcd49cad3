import { BodyBudget } from "../body.ts";
import { type Delivery, plainHeaders } from "../delivery.ts";
import { WebhookError } from "../errors.ts";
import type { BluumEvent } from "../events/event.ts";
import { clockMs } from "../options.ts";
import { PING_TYPE } from "../router/router.ts";
import type { ReceivingTelemetry } from "../telemetry/telemetry.ts";
import { checkAge, retentionOf } from "./age.ts";
import type { Deadline } from "./deadline.ts";
import { eventKey, identify, storeKey } from "./identity.ts";
import type { ThrottledLog } from "./log.ts";
import type { Settings } from "./options.ts";
import type { IdentifiedBy } from "./outcome.ts";
import { parseEnvelope, toEvent } from "./parse.ts";
import type { ReportRecorder } from "./report.ts";
import { type KeySource, keySource } from "./secrets.ts";
import { acceptedBody } from "./seen-requests.ts";
import { checkBody, checkHead, verify } from "./verify.ts";

/** A delivery, and what goes with it through the receiver. */
export interface Arrival {
  readonly delivery: Delivery;
  readonly deadline: Deadline | undefined;
  readonly report: ReportRecorder;
  readonly receiving: ReceivingTelemetry | undefined;
}

/** A genuine event, before anything is done with it. */
export interface Admitted {
  readonly event: BluumEvent;
  /** Type and id as one key. */
  readonly eventKey: string;
  /** The same with the namespace: the key in a store or an inbox. */
  readonly storeKey: string;
  readonly identifiedBy: IdentifiedBy;
  /** How long the event is to be remembered, in milliseconds. */
  readonly retentionMs: number;
  /** The exact bytes that were verified. */
  readonly rawBody: Uint8Array;
  readonly receivedAt: Date;
  /** The index of the secret that matched. */
  readonly secretIndex: number;
}

/** A body whose signature matches. */
interface VerifiedBody {
  readonly secretIndex: number;
  /** The message id, where the scheme signs one. */
  readonly messageId: string | undefined;
  readonly rawBody: Uint8Array;
  /** When it was verified, epoch milliseconds. */
  readonly nowMs: number;
}

/** Verifies, parses and identifies the deliveries of one receiver. */
export class Admission {
  readonly #settings: Settings;
  readonly #keys: KeySource;
  readonly #bodies: BodyBudget;
  readonly #log: ThrottledLog;
  readonly #production: boolean;

  /** @param production whether to warn of what only production suffers from */
  constructor(settings: Settings, log: ThrottledLog, production: boolean) {
    const { secret, scheme, secretTimeoutMs, maxBodyBytes, bodyTimeoutMs } = settings;
    this.#settings = settings;
    this.#keys = keySource(secret, scheme, secretTimeoutMs, () => this.#now());
    this.#bodies = new BodyBudget({ maxBytes: maxBodyBytes, timeoutMs: bodyTimeoutMs });
    this.#log = log;
    this.#production = production;
  }

  /**
   * Verify, parse, identify; cheapest checks first.
   *
   * @throws WebhookError that says why the delivery is refused
   */
  async admit(delivery: Delivery, report: ReportRecorder): Promise<Admitted | "ping"> {
    const { parseJson, eventType, eventId, namespace, scheme } = this.#settings;
    const receivedAt = new Date(this.#now());
    const presented = checkHead(delivery, scheme);
    const { rawBody, nowMs, secretIndex, messageId } = await this.#verified(delivery, presented, report);
    const headers = () => plainHeaders(delivery.headers);
    const envelope = parseEnvelope(rawBody, { parseJson, eventType, headers });
    const { payload, type } = envelope;
    report.add({ type });
    if (type === PING_TYPE) return "ping";
    checkAge(envelope, nowMs, this.#settings, this.#log);
    const { id, identifiedBy } = identify({ payload, type, rawBody, headers, messageId }, eventId);
    report.add({ eventId: id, identifiedBy });
    if (this.#production && identifiedBy === "body_hash") warnOfBodyHash(this.#log);
    const key = eventKey(type, id);
    return {
      event: toEvent(envelope, id),
      eventKey: key,
      storeKey: storeKey(namespace, key),
      identifiedBy,
      retentionMs: retentionOf(envelope, nowMs, this.#settings),
      rawBody,
      receivedAt,
      secretIndex,
    };
  }

  /** Reads the body and verifies it; until then its memory counts. Another receiver that the request has passed may have read it. */
  #verified({ body, request }: Delivery, presented: object, report: ReportRecorder): Promise<VerifiedBody> {
    const seen = typeof body === "function" ? acceptedBody(request) : body;
    const verifyBody = (rawBody: unknown) => this.#verify(rawBody, presented, report);
    if (typeof body !== "function" || seen !== undefined) return verifyBody(seen);
    return this.#bodies.readAndUse(body, verifyBody);
  }

  async #verify(rawBody: unknown, presented: object, report: ReportRecorder): Promise<VerifiedBody> {
    const { scheme, maxBodyBytes } = this.#settings;
    checkBody(rawBody, maxBodyBytes);
    report.add({ bodyBytes: rawBody.length });
    report.lap("readMs");
    const nowMs = this.#now();
    const { secretIndex, messageId } = await verify(scheme, presented, rawBody, this.#keys, nowMs);
    report.add({ secretIndex });
    report.lap("verifyMs");
    return { secretIndex, messageId, rawBody, nowMs };
  }

  #now(): number {
    const now = clockMs(this.#settings.now());
    if (!Number.isNaN(now)) return now;
    throw new WebhookError("receiver_failed", "the now option returned no time in epoch milliseconds");
  }
}

function warnOfBodyHash(log: ThrottledLog): void {
  log.once(
    "body_hash",
    "the payload has no event id, so an event is identified by the hash of its body: a retry with other bytes would run again, and two events with identical bytes count as one. To avoid both, set the eventId option to a field of the body that tells events apart",
  );
}
