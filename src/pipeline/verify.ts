import { type BodyReader, type Delivery, type HeaderLookup, isBytes } from "../delivery.ts";
import { WebhookError } from "../errors.ts";
import type { SignatureScheme, Verified } from "../schemes/scheme.ts";
import type { ReportDraft } from "./report.ts";
import type { KeySource } from "./secrets.ts";
import { bodyAlreadyParsed, bodyIncomplete, bodyTooLarge } from "./unreadable.ts";

/** What verification needs of a receiver's settings. */
export interface VerifySettings {
  readonly scheme: SignatureScheme;
  readonly keys: KeySource;
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
  readonly now: () => number;
}

/** A body that one of the secrets signed. */
export interface Authentic {
  readonly rawBody: Uint8Array;
  readonly verified: Verified;
}

/**
 * Who signed these bytes, and when. The checks go from cheap to dear: headers, then the body within its limits, then the
 * secret, then the signature. Nothing of the body is decoded or parsed here.
 *
 * @throws WebhookError with a code of the answers table
 */
export async function verify(
  delivery: Delivery,
  header: HeaderLookup,
  settings: VerifySettings,
  report: ReportDraft,
): Promise<Authentic> {
  checkMethod(delivery.method);
  checkEncoding(header("content-encoding"));
  const presented = settings.scheme.read(header);
  if (typeof presented === "string") throw refused(presented);

  const started = performance.now();
  const rawBody = await readBody(delivery.body, settings);
  report.bodyBytes = rawBody.length;
  const read = performance.now();
  report.readMs = read - started;

  const keys = await settings.keys();
  const verified = settings.scheme.verify(presented, rawBody, keys, settings.now());
  report.verifyMs = performance.now() - read;
  if (typeof verified === "string") throw refused(verified);
  report.secretIndex = verified.secretIndex;
  return { rawBody, verified };
}

function checkMethod(method: string): void {
  if (method !== "POST") throw new WebhookError("method_not_allowed", "a delivery is a POST request");
}

function checkEncoding(encoding: string | undefined): void {
  // The signature covers the bytes before any coding that a proxy may have put on: decoding here would be guessing.
  if (encoding === undefined || encoding === "" || encoding.toLowerCase() === "identity") return;
  throw new WebhookError("content_encoding_unsupported", "the body came with a Content-Encoding; Bluum sends none");
}

async function readBody(body: Delivery["body"], { maxBodyBytes, bodyTimeoutMs }: VerifySettings): Promise<Uint8Array> {
  const bytes = typeof body === "function" ? await callReader(body, maxBodyBytes, bodyTimeoutMs) : body;
  if (!isBytes(bytes)) throw bodyAlreadyParsed("the body came as something else than bytes");
  if (bytes.length > maxBodyBytes) throw bodyTooLarge(maxBodyBytes);
  return bytes;
}

async function callReader(read: BodyReader, maxBytes: number, timeoutMs: number): Promise<Uint8Array> {
  try {
    return await read({ maxBytes, timeoutMs });
  } catch (thrown) {
    throw thrown instanceof WebhookError ? thrown : bodyIncomplete(thrown);
  }
}

const PROBLEM = {
  signature_missing: "the delivery carries no signature",
  signature_malformed: "the delivery's signature header is not in the expected form",
  signature_mismatch:
    "no secret matches the delivery's signature: a wrong secret, another scheme, or a body changed on the way",
  timestamp_out_of_tolerance: "the delivery's signed timestamp is too far from this machine's clock",
} as const;

function refused(code: keyof typeof PROBLEM): WebhookError {
  return new WebhookError(code, PROBLEM[code]);
}
