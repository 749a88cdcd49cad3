import ky, { type Options, TimeoutError } from "ky";
import { type Answer, readAnswer } from "./answer.ts";
import { BluumApiError, perhapsDone } from "./errors.ts";
import { aborted, failureOfException, timedOut } from "./failure.ts";
import type { Settings } from "./options.ts";
import { isRetryable, waitBefore } from "./retry.ts";

/** Options that every call takes. */
export interface CallOptions {
  /** Aborts the call, also while it waits before a retry. */
  readonly signal?: AbortSignal | undefined;
}

/** One call of the API. */
export interface Call extends CallOptions {
  /** Its name in errors, such as `webhooks.create`. */
  readonly operation: string;
  readonly method: "get" | "post" | "patch" | "delete";
  /** The path below the base URL, without a leading slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, number>>;
  readonly json?: object;
}

/**
 * Makes a call, with retries.
 *
 * @throws BluumApiError and nothing else
 */
export type Ask = (call: Call) => Promise<Answer>;

/** The state of a call over its attempts. */
interface CallState {
  /** Whether a request was sent and its outcome is not known. */
  open: boolean;
  /** Whether a failed attempt may have been carried out. */
  uncertain: boolean;
  answer?: Answer;
}

/** Makes the function that calls the API. */
export function apiOf(settings: Settings): Ask {
  const client = ky.create({
    prefixUrl: settings.baseUrl,
    headers: { accept: "application/json", authorization: settings.authorization, "user-agent": "bluum-webhooks" },
    redirect: "manual", // following it would send the credentials along
    timeout: settings.timeoutMs,
  });

  return async function ask(call) {
    if (call.signal?.aborted) throw aborted(call, false);
    const state: CallState = { open: false, uncertain: false };
    try {
      await client(call.path, { ...requestOf(call), ...attempts(call, state, settings) });
      return state.answer as Answer;
    } catch (thrown) {
      const failure = toFailure(call, state, thrown, settings);
      if (!state.uncertain) throw failure;
      if (call.method !== "delete" || failure.code !== "not_found") throw perhapsDone(failure);
      return { body: undefined, unexpected: () => failure }; // an earlier attempt deleted it, but its answer was lost
    }
  };
}

function requestOf({ method, signal, query, json }: Call): Options {
  return { method, ...(signal && { signal }), ...(query && { searchParams: query }), ...(json && { json }) };
}

/**
 * How ky makes an attempt, and whether and when it retries. An attempt reads its whole answer, so that ky's timeout and retries include the
 * body. It throws our own errors, since ky's contain the request with its credentials.
 */
function attempts(call: Call, state: CallState, settings: Settings): Options {
  const failureOf = (thrown: unknown) => toFailure(call, state, thrown, settings);
  return {
    async fetch(request) {
      state.open = true;
      state.answer = await readAnswer(call, await settings.fetch(request as Request), settings);
      return new Response();
    },
    retry: {
      limit: settings.retries,
      methods: ["get", "post", "patch", "delete"],
      shouldRetry({ error }) {
        const failure = failureOf(error);
        state.uncertain ||= failure.mayHaveHappened;
        state.open = state.uncertain;
        return isRetryable(failure, call.method, settings);
      },
      delay: () => 0, // the hook below waits instead, with `settings.sleep`
    },
    hooks: {
      beforeRetry: [
        async ({ error, retryCount }) => {
          await settings.sleep(waitBefore(retryCount, failureOf(error), settings), call.signal);
          call.signal?.throwIfAborted();
        },
      ],
    },
  };
}

function toFailure(call: Call, { open }: CallState, thrown: unknown, { timeoutMs }: Settings): BluumApiError {
  if (thrown instanceof BluumApiError) return thrown;
  if (call.signal?.aborted) return aborted(call, open);
  return thrown instanceof TimeoutError ? timedOut(call, timeoutMs) : failureOfException(call, thrown);
}
