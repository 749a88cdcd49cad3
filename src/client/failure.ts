import { BluumApiError, type BluumApiErrorCode, type BluumApiErrorDetails } from "./errors.ts";
import { textOf } from "./json.ts";
import type { Settings } from "./options.ts";
import { retryAfterOf } from "./retry.ts";

/** The call that failed. */
export interface CallInFailure {
  readonly operation: string;
  readonly method: string;
}

/** The code of each status. Other 4xx are not documented, so they are `unexpected_answer`. */
const CODES: Readonly<Record<number, BluumApiErrorCode>> = {
  400: "validation",
  401: "bad_credentials",
  403: "wrong_scope",
  404: "not_found",
  409: "validation",
  413: "validation",
  422: "validation",
  429: "rate_limited",
};

const ADVICE: Partial<Readonly<Record<BluumApiErrorCode, string>>> = {
  bad_credentials: "check API key and secret, and that they belong to this base URL (sandbox or production)",
  wrong_scope: "managing webhooks needs a tenant-wide API key, not one scoped to an investor",
  not_found: "there is no such webhook, or the base URL is not the API's",
};

/** The error for an answer that is not a success. */
export function failureOfAnswer(
  call: CallInFailure,
  response: Response,
  body: unknown,
  settings: Settings,
): BluumApiError {
  const { status, headers } = response;
  const code = CODES[status] ?? (status >= 500 ? "server" : "unexpected_answer");
  const said = saidBy(body, settings);
  const words = [said.message, ADVICE[code]].filter((part) => part !== undefined).join("; ");
  return new BluumApiError(code, sentence(call.operation, `Bluum answered ${status}`, words), {
    ...aboutAnswer(call, response, settings),
    ...said.details,
    retryAfterMs: retryAfterOf(headers, settings.now),
    mayHaveHappened: changes(call) && (code === "server" || response.ok),
  });
}

/** The error for a successful answer that cannot be used. The message does not quote the answer. */
export function unexpectedAnswer(
  call: CallInFailure,
  response: Response,
  what: string,
  settings: Settings,
): BluumApiError {
  return new BluumApiError("unexpected_answer", sentence(call.operation, "unexpected answer", what), {
    ...aboutAnswer(call, response, settings),
    mayHaveHappened: changes(call),
  });
}

/** The error for a redirect. The message shows only the origin of its target. */
export function redirected(call: CallInFailure, response: Response, settings: Settings): BluumApiError {
  const location = response.headers.get("location") ?? "";
  const { href } = settings.baseUrl;
  const target = URL.canParse(location, href) ? new URL(location, href).origin : "elsewhere";
  const words = `to ${settings.redact(target)}; it was not followed, since that would send the credentials there. Set baseUrl to the API's own address`;
  return new BluumApiError("redirected", sentence(call.operation, "Bluum answered with a redirect", words), {
    ...aboutAnswer(call, response, settings),
  });
}

/** The error for an exception before the whole answer was received. */
export function failureOfException(call: CallInFailure, thrown: unknown): BluumApiError {
  const code = systemCodeOf(thrown);
  return new BluumApiError("network", sentence(call.operation, "no connection to Bluum, or it was interrupted", code), {
    operation: call.operation,
    mayHaveHappened: changes(call) && !NEVER_CONNECTED.test(code ?? ""),
  });
}

/** The error for a call without a complete answer in time. */
export function timedOut(call: CallInFailure, timeoutMs: number): BluumApiError {
  return new BluumApiError("timeout", sentence(call.operation, `no complete answer within ${timeoutMs} ms`), {
    operation: call.operation,
    mayHaveHappened: changes(call),
  });
}

/** The error for an aborted call. If a request was `open`, Bluum may have carried it out. */
export function aborted(call: CallInFailure, open: boolean): BluumApiError {
  return new BluumApiError("aborted", sentence(call.operation, "the signal was aborted"), {
    operation: call.operation,
    mayHaveHappened: open && changes(call),
  });
}

function changes({ method }: CallInFailure): boolean {
  return method !== "get";
}

function sentence(operation: string, what: string, detail = ""): string {
  return `${operation}: ${what}${detail === "" ? "" : `: ${detail}`}.`;
}

function aboutAnswer(call: CallInFailure, { status, headers }: Response, settings: Settings): BluumApiErrorDetails {
  const { operation } = call;
  return { operation, status: status || undefined, requestId: words(headers.get("x-request-id"), settings) };
}

/** Reads both published forms of errors: `{ error: { type, code, message, param? } }` and `{ status: "error", code, message }`. */
function saidBy(body: unknown, settings: Settings): { message?: string | undefined; details: BluumApiErrorDetails } {
  const said = (name: string) => words(textOf(body, `error.${name}`) ?? textOf(body, name), settings);
  return {
    message: said("message"),
    details: { bluumCode: said("code"), bluumType: said("type"), param: said("param") },
  };
}

const MAX_CHARACTERS = 300;

/** A text from the server, made safe for messages and terminals: no credential, no webhook's secret, one line, not long. */
function words(text: string | null | undefined, { redact }: Settings): string | undefined {
  const oneLine = redact(text ?? "")
    .replace(/whsec_[\w+/=-]+/g, "…")
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .trim()
    .replace(/\.$/, "");
  if (oneLine === "") return undefined;
  return oneLine.length > MAX_CHARACTERS ? `${oneLine.slice(0, MAX_CHARACTERS)}…` : oneLine;
}

/** System codes of failures before anything was sent: after these even a create may be retried. */
const NEVER_CONNECTED =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$|CERT|TLS/;

/** The system's code, such as `ECONNREFUSED`, of an error or its causes. Messages are not used, since they may quote anything. */
function systemCodeOf(thrown: unknown): string | undefined {
  let error = thrown as { code?: unknown; cause?: unknown } | undefined;
  for (let depth = 0; depth < 5 && typeof error === "object" && error !== null; depth++) {
    if (typeof error.code === "string" && /^[A-Z][A-Z0-9_]{2,60}$/.test(error.code)) return error.code;
    error = error.cause as typeof error;
  }
  return undefined;
}
