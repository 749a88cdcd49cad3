/** Why a call failed, for programs. The codes are API: they do not change in a minor version. */
export type BluumApiErrorCode =
  /** An option or an argument cannot work; nothing was sent. The message names it. */
  | "configuration_invalid"
  /** 401: API key and secret are not valid together, or not on this base URL. */
  | "bad_credentials"
  /** 403: the key may not do this. Managing webhooks needs a tenant-wide key. */
  | "wrong_scope"
  /** 404: no webhook has this id, or the base URL is not the API's. */
  | "not_found"
  /** 400, 409, 413, 422: Bluum refused the request. */
  | "validation"
  /** 429, after all retries, or with a `Retry-After` longer than `maxRetryAfterMs`. */
  | "rate_limited"
  /** 5xx, after all retries. */
  | "server"
  /** No connection, or it was interrupted before the answer was complete; after all retries. */
  | "network"
  /** No complete answer within `timeoutMs`; after all retries. */
  | "timeout"
  /** The call's `signal` was aborted. */
  | "aborted"
  /** The answer is a redirect. It is not followed, since that would send the credentials to another address. */
  | "redirected"
  /** The answer is not one that Bluum documents: not JSON, too large, incomplete, or with an undocumented status. */
  | "unexpected_answer";

/** What a {@link BluumApiError} may carry besides its code and message. */
export interface BluumApiErrorDetails {
  /** Which call failed, such as `webhooks.create`. */
  readonly operation?: string | undefined;
  /** The answer's HTTP status, if there was an answer. */
  readonly status?: number | undefined;
  /** Bluum's own code, such as `BLUM-400-001`. */
  readonly bluumCode?: string | undefined;
  /** Bluum's type of error. */
  readonly bluumType?: string | undefined;
  /** The parameter that Bluum objects to. */
  readonly param?: string | undefined;
  /** The answer's `X-Request-Id`, which Bluum's support asks for. */
  readonly requestId?: string | undefined;
  /** How long Bluum asks to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Whether Bluum may have carried out the call, although no answer says so. @default false */
  readonly mayHaveHappened?: boolean | undefined;
}

/**
 * The error class of this client. `code` is stable and meant for programs, `message` for people. It never contains a credential, a
 * webhook's secret, the request or the answer. It has no `cause`, since underlying errors may contain them.
 */
export class BluumApiError extends Error implements BluumApiErrorDetails {
  override readonly name: string = "BluumApiError";
  /** What went wrong, for programs. */
  readonly code: BluumApiErrorCode;
  /** Which call failed, such as `webhooks.create`. */
  declare readonly operation?: string;
  /** The answer's HTTP status, if there was an answer. */
  declare readonly status?: number;
  /** Bluum's own code, such as `BLUM-400-001`. */
  declare readonly bluumCode?: string;
  /** Bluum's type of error. */
  declare readonly bluumType?: string;
  /** The parameter that Bluum objects to. */
  declare readonly param?: string;
  /** The answer's `X-Request-Id`, which Bluum's support asks for. */
  declare readonly requestId?: string;
  /** How long Bluum asks to wait, in milliseconds. */
  declare readonly retryAfterMs?: number;
  /**
   * Whether Bluum may have carried out the call, although no answer says so: a create, update or delete of which an attempt timed out,
   * was interrupted, or was answered 5xx. Check before you repeat a create.
   */
  readonly mayHaveHappened: boolean;

  constructor(code: BluumApiErrorCode, message: string, details: BluumApiErrorDetails = {}) {
    super(message);
    const { mayHaveHappened = false, ...others } = details;
    this.code = code;
    this.mayHaveHappened = mayHaveHappened;
    Object.assign(this, Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)));
  }
}

/**
 * The error for an option or argument that cannot work.
 *
 * @param owner the function or call that was given it
 * @param option its name
 * @param problem what is wrong with it, as the rest of a sentence
 */
export function refused(owner: string, option: string, problem: string): BluumApiError {
  return new BluumApiError("configuration_invalid", `${owner}: ${option} ${problem}`);
}

/** The same error with `mayHaveHappened`, for a call that an earlier attempt may have carried out. */
export function perhapsDone({ code, message, name: _, ...details }: BluumApiError): BluumApiError {
  return new BluumApiError(code, message, { ...details, mayHaveHappened: true });
}
