import { BluumApiError, type BluumApiErrorCode, type BluumApiErrorDetails } from "./errors.ts";
import { textOf } from "./json.ts";
import type { Settings } from "./options.ts";
import { retryAfterOf } from "./retry.ts";

/** What a failure is told in terms of: the call, and whether it would have changed anything. */
export interface CallInFailure {
  readonly operation: string;
  readonly method: string;
}

/** The code for a status; 4xx that are not listed mean nothing here. */
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
  wrong_scope: "managing webhooks needs a tenant-wide API key; one that is scoped to an investor may not",
  not_found: "there is no such webhook, or the base URL is not the API's",
};

/** An answer that is no success, as an error. */
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

/** An answer that is a success by its status and yet none that can be used, as an error. It is not quoted. */
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

/** A redirect, as an error. Of its target only the origin is told. */
export function redirected(call: CallInFailure, response: Response, settings: Settings): BluumApiError {
  const location = response.headers.get("location") ?? "";
  const { href } = settings.baseUrl;
  const target = URL.canParse(location, href) ? new URL(location, href).origin : "elsewhere";
  const words = `to ${settings.strike(target)}; it is not followed, since the credentials would go along. Set baseUrl to the API's own address`;
  return new BluumApiError("redirected", sentence(call.operation, "Bluum answered with a redirect", words), {
    ...aboutAnswer(call, response, settings),
  });
}

/** What was thrown while nothing of an answer, or not all of it, had come; as an error. */
export function failureOfException(call: CallInFailure, thrown: unknown): BluumApiError {
  const code = systemCodeOf(thrown);
  return new BluumApiError("network", sentence(call.operation, "no connection to Bluum, or it broke", code), {
    operation: call.operation,
    mayHaveHappened: changes(call) && !NEVER_CONNECTED.test(code ?? ""),
  });
}

/** No whole answer in time. */
export function timedOut(call: CallInFailure, timeoutMs: number): BluumApiError {
  return new BluumApiError("timeout", sentence(call.operation, `no whole answer within ${timeoutMs} ms`), {
    operation: call.operation,
    mayHaveHappened: changes(call),
  });
}

/** The call's signal was aborted; while a request was `open`, nobody can tell what comes of it. */
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

/** Both published forms: `{ error: { type, code, message, param? } }` and `{ status: "error", code, message }`. */
function saidBy(body: unknown, settings: Settings): { message?: string | undefined; details: BluumApiErrorDetails } {
  const said = (name: string) => words(textOf(body, `error.${name}`) ?? textOf(body, name), settings);
  return {
    message: said("message"),
    details: { bluumCode: said("code"), bluumType: said("type"), param: said("param") },
  };
}

const MAX_CHARACTERS = 300;

/** What a server says, fit for a message and a terminal: no credential, no webhook's secret, one line, a few words. */
function words(text: string | null | undefined, { strike }: Settings): string | undefined {
  const oneLine = strike(text ?? "")
    .replace(/whsec_[\w+/=-]+/g, "…")
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .trim()
    .replace(/\.$/, "");
  if (oneLine === "") return undefined;
  return oneLine.length > MAX_CHARACTERS ? `${oneLine.slice(0, MAX_CHARACTERS)}…` : oneLine;
}

/** Failures before anything could be sent: after these even a create may be repeated. */
const NEVER_CONNECTED =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$|CERT|TLS/;

/** The system's code, such as `ECONNREFUSED`, of an error or of what is behind it. Its message may quote anything. */
function systemCodeOf(thrown: unknown): string | undefined {
  let error = thrown as { code?: unknown; cause?: unknown } | undefined;
  for (let depth = 0; depth < 5 && typeof error === "object" && error !== null; depth++) {
    if (typeof error.code === "string" && /^[A-Z][A-Z0-9_]{2,60}$/.test(error.code)) return error.code;
    error = error.cause as typeof error;
  }
  return undefined;
}
