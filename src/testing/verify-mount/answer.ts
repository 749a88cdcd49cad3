import type { RejectionCode } from "../../errors.ts";

/** Why no answer came. */
export type Failure = "timed_out" | "aborted" | "no_connection" | "tls_failed" | "no_http" | "threw" | "unsignable";

/** The answer to one probe. */
export interface Answer {
  /** The HTTP status; 0 if no answer came. */
  readonly status: number;
  /** Why no answer came. */
  readonly failure?: Failure;
  /** Whether this is a receiver's answer to a verified ping. */
  readonly ping: boolean;
  /** The error code, if the answer has the form of a receiver's refusal. Another app's answer may look the same. */
  readonly code?: RejectionCode;
  /** Whether the body acknowledges a webhook: empty, "OK", or `{"received":true}`. */
  readonly acknowledges: boolean;
  /** The content type, without parameters. */
  readonly type: string;
  /** The beginning of the text, made safe to print. */
  readonly excerpt: string;
  /** Looks up a header; the value is safe to print. */
  readonly header: (name: string) => string | undefined;
  /** The time from sending to the headers of the answer, in milliseconds. */
  readonly tookMs: number;
  /** The answer's `Date` minus this machine's clock, in milliseconds; accurate to about a second. */
  readonly skewMs?: number;
}

/** How much of an answer is read. A receiver's answers have less than 200 characters. */
const MAX_CHARACTERS = 4_096;
/** Reads are limited, too: while a stream in memory is read, no timer runs. */
const MAX_READS = 1_000;
const EXCERPT_CHARACTERS = 100;

/** The result of a probe without an answer. */
export function unanswered(failure: Failure, detail = ""): Answer {
  const nothing = { status: 0, ping: false, acknowledges: false, type: "", tookMs: 0, header: () => undefined };
  return { ...nothing, failure, excerpt: detail };
}

/**
 * Reads the beginning of an answer.
 *
 * @param tookMs the time from sending to the headers of the answer, in milliseconds
 * @param ended rejects when the check must end
 * @param secret removed from everything that may be printed
 */
export async function readAnswer(
  response: Response,
  tookMs: number,
  ended: Promise<never>,
  secret: string,
): Promise<Answer> {
  const now = Date.now();
  const text = (await beginning(response, ended)).replaceAll(secret, "…");
  const json = parsed(text);
  const printable = (value: string) => safe(value, secret);
  const date = Date.parse(response.headers.get("date") ?? "");
  const code = json?.error?.code;
  return {
    status: response.status,
    ping: response.status === 200 && json?.received === true && json.ping === true,
    ...(typeof code === "string" ? { code: code as RejectionCode } : {}),
    acknowledges:
      json?.received === true || /^"?(ok|okay|accepted|created|received|success|no content)?[.!"\s]*$/i.test(text),
    type: printable((response.headers.get("content-type") ?? "").split(";")[0] ?? ""),
    excerpt: printable(text.replace(/<(script|style)\b.*?<\/\1>|<[^>]*>/gis, " ")),
    header(name) {
      const value = response.headers.get(name);
      return value === null ? undefined : printable(value);
    },
    tookMs,
    // `Date` has whole seconds, so half a second is added. The answer is assumed to have taken half of the round trip.
    ...(Number.isNaN(date) ? {} : { skewMs: date + 500 - (now - tookMs / 2) }),
  };
}

interface ReceiversAnswer {
  readonly received?: unknown;
  readonly ping?: unknown;
  readonly error?: { readonly code?: unknown } | null;
}

function parsed(text: string): ReceiversAnswer | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

async function beginning(response: Response, ended: Promise<never>): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let reads = 0; reads < MAX_READS && text.length < MAX_CHARACTERS; reads++) {
      const { done, value } = await Promise.race([reader.read(), ended]);
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // Interrupted or out of time: use the part that was received.
  }
  reader.cancel().catch(() => {});
  return text.slice(0, MAX_CHARACTERS);
}

/** Text that may be a key or a signature: a long run of letters and digits, or base64. Most URL paths do not match. */
const KEY_LIKE = /[A-Za-z0-9+_=-]{32,}|[A-Za-z0-9+/]{43,}|[A-Za-z0-9+/]{20,}=+/g;

/** A text from the server, made safe for messages: no secret, nothing like a key or signature, one line, not long. */
export function safe(text: string, secret: string): string {
  const oneLine = text
    .replaceAll(secret, "…")
    .replace(KEY_LIKE, "…")
    .replace(/[^\x20-\x7e…\u00a1-\u024f]+/g, " ")
    .replace(/ +/g, " ")
    .trim();
  return oneLine.length > EXCERPT_CHARACTERS ? `${oneLine.slice(0, EXCERPT_CHARACTERS)}…` : oneLine;
}

/** Whether the status is 2xx. */
export function isSuccess({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

/** Whether no answer came because the check ran out of time or was aborted. */
export function isOutOfTime({ failure }: Answer): boolean {
  return failure === "timed_out" || failure === "aborted";
}

/** Status, content type and first words of an answer, for a message. */
export function shown({ status, type, excerpt }: Answer): string {
  const text = excerpt === "" ? "" : ` "${excerpt}"`;
  return `${status}${type === "" ? "" : ` ${type}`}${text}`;
}
