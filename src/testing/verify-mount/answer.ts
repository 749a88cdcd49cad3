import type { RejectionCode } from "../../errors.ts";

/** Why no answer came. */
export type Failure = "timed_out" | "aborted" | "no_connection" | "tls_failed" | "no_http" | "threw" | "unsignable";

/** What came back for one probe. */
export interface Answer {
  /** The HTTP status, 0 where no answer came. */
  readonly status: number;
  /** Why none came. */
  readonly failure?: Failure;
  /** Whether it is a receiver's answer to a ping that it has verified. */
  readonly ping: boolean;
  /** The code of a refusal, where the answer has a refusal's form; another app's code may look the same. */
  readonly code?: RejectionCode;
  /** Whether it reads like a webhook's acknowledgement: empty, "OK", or `{"received":true}`. */
  readonly acknowledges: boolean;
  /** Its content type, without parameters. */
  readonly type: string;
  /** The first words of its text, made safe to print. */
  readonly excerpt: string;
  /** A header, made safe to print. */
  readonly header: (name: string) => string | undefined;
  /** From the sending to the head of the answer, in milliseconds. */
  readonly tookMs: number;
  /** The clock of the answer's `Date` header against this machine's, in milliseconds; to a second. */
  readonly skewMs?: number;
}

/** How much of an answer is read: ours have less than 200 characters. */
const MAX_CHARACTERS = 4_096;
/** Counted, too: a stream in memory is read without a pause in which a timer could run. */
const MAX_READS = 1_000;
const EXCERPT_CHARACTERS = 100;

/** Where no answer came. */
export function unanswered(failure: Failure, detail = ""): Answer {
  const nothing = { status: 0, ping: false, acknowledges: false, type: "", tookMs: 0, header: () => undefined };
  return { ...nothing, failure, excerpt: detail };
}

/**
 * Reads an answer, as much of it as is needed.
 *
 * @param tookMs from the sending to the head of the answer
 * @param ended rejects when there is no more time
 * @param secret is struck out of what may be printed
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
    // A date has whole seconds: half of one is the best guess. The answer was on its way for half of the time it took.
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
    // Cut off, or out of time: what has come must do.
  }
  reader.cancel().catch(() => {});
  return text.slice(0, MAX_CHARACTERS);
}

/** A run of letters and digits, or base64, as long as a key or a signature; a path in a URL mostly is none. */
const KEY_LIKE = /[A-Za-z0-9+_=-]{32,}|[A-Za-z0-9+/]{43,}|[A-Za-z0-9+/]{20,}=+/g;

/** What a server says, fit for a message: no secret, nothing that looks like a key or a signature, one line, a few words. */
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
