import { BodyBudget } from "../body.ts";
import { type Delivery, plainHeaders } from "../delivery.ts";
import { bodyIncomplete, WebhookError } from "../errors.ts";
import { clockMs } from "../options.ts";
import { PING_TYPE } from "../router/router.ts";
import { checkAge } from "./age.ts";
import { type Identifiable, type Identity, identify } from "./identity.ts";
import type { ThrottledLog } from "./log.ts";
import type { Settings } from "./options.ts";
import { type Envelope, parseEnvelope } from "./parse.ts";
import type { ReportRecorder } from "./report.ts";
import { type KeySource, keySource } from "./secrets.ts";
import { acceptedBody } from "./seen-requests.ts";
import { checkBody, checkHead, verify } from "./verify.ts";

/** A genuine event, before anything is done with it. */
export interface Admitted {
  readonly envelope: Envelope;
  readonly identity: Identity;
  /** The exact bytes that were verified. */
  readonly rawBody: Uint8Array;
  readonly receivedAt: Date;
  /** The index of the secret that matched. */
  readonly secretIndex: number;
  /** When the signature was verified, epoch milliseconds. */
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
    const receivedAt = new Date(this.#now());
    const presented = checkHead(delivery, this.#settings.scheme);
    const rawBody = await this.#readBody(delivery, report);
    const nowMs = this.#now();
    const { secretIndex, messageId } = await verify(this.#settings.scheme, presented, rawBody, this.#keys, nowMs);
    report.add({ secretIndex });
    report.lap("verifyMs");
    const envelope = this.#parse(delivery, rawBody, report);
    if (envelope.type === PING_TYPE) return "ping";
    checkAge(envelope, nowMs, this.#settings, this.#log);
    const { payload, type } = envelope;
    const identity = this.#identify(delivery, { payload, type, rawBody, messageId }, report);
    return { envelope, identity, rawBody, receivedAt, secretIndex, nowMs };
  }

  async #readBody({ body, request }: Delivery, report: ReportRecorder): Promise<Uint8Array> {
    // Another receiver that the request has passed may have read it.
    const seen = typeof body === "function" ? acceptedBody(request) : body;
    const unread = typeof body === "function" && seen === undefined;
    const rawBody: unknown = unread ? await this.#bodies.read(body).catch(asBodyError) : seen;
    checkBody(rawBody, this.#settings.maxBodyBytes);
    report.add({ bodyBytes: rawBody.length });
    report.lap("readMs");
    return rawBody;
  }

  #parse({ headers }: Delivery, rawBody: Uint8Array, report: ReportRecorder): Envelope {
    const { parseJson, eventType } = this.#settings;
    const envelope = parseEnvelope(rawBody, { parseJson, eventType, headers: () => plainHeaders(headers) });
    report.add({ type: envelope.type });
    return envelope;
  }

  #identify(delivery: Delivery, identifiable: Omit<Identifiable, "headers">, report: ReportRecorder): Identity {
    const { payload, type, rawBody, messageId } = identifiable;
    const headers = () => plainHeaders(delivery.headers);
    const identity = identify({ payload, type, rawBody, headers, messageId }, this.#settings.eventId);
    report.add({ eventId: identity.id, identifiedBy: identity.identifiedBy });
    if (this.#production && identity.identifiedBy === "body_hash") warnOfBodyHash(this.#log);
    return identity;
  }

  #now(): number {
    const now = clockMs(this.#settings.now());
    if (!Number.isNaN(now)) return now;
    throw new WebhookError("receiver_failed", "the now option returned no time in epoch milliseconds");
  }
}

function asBodyError(thrown: unknown): never {
  throw thrown instanceof WebhookError ? thrown : bodyIncomplete(thrown);
}

function warnOfBodyHash(log: ThrottledLog): void {
  log.once(
    "body_hash",
    "the payload has no event id, so an event is identified by the hash of its body: a retry with other bytes would run again, and two events with identical bytes count as one. To avoid both, set the eventId option to a field of the body that tells events apart",
  );
}
