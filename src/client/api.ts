import ky, { type Options, TimeoutError } from "ky";
import { type Answer, readAnswer } from "./answer.ts";
import { BluumApiError, perhapsDone } from "./errors.ts";
import { aborted, failureOfException, timedOut } from "./failure.ts";
import type { Settings } from "./options.ts";
import { isRetryable, waitBefore } from "./retry.ts";

/** Options that every call takes. */
export interface CallOptions {
  /** Ends the call early, a wait before a retry included. */
  readonly signal?: AbortSignal | undefined;
}

/** One call of the API. */
export interface Call extends CallOptions {
  /** What it is called in errors. */
  readonly operation: string;
  readonly method: "get" | "post" | "patch" | "delete";
  /** Below the base URL, without a slash before it. */
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

/** How a call is going. */
interface Course {
  /** Whether a request is on its way, or was and nobody can tell what came of it. */
  open: boolean;
  /** Whether an attempt failed that may have been carried out all the same. */
  uncertain: boolean;
  answer?: Answer;
}

/** The API behind these settings. */
export function apiOf(settings: Settings): Ask {
  const client = ky.create({
    prefixUrl: settings.baseUrl,
    headers: { accept: "application/json", authorization: settings.authorization, "user-agent": "bluum-webhooks" },
    redirect: "manual", // followed, it would carry the credentials along
    timeout: settings.timeoutMs,
  });

  return async function ask(call) {
    if (call.signal?.aborted) throw aborted(call, false);
    const course: Course = { open: false, uncertain: false };
    try {
      await client(call.path, { ...requestOf(call), ...attempts(call, course, settings) });
      return course.answer as Answer;
    } catch (thrown) {
      const failure = toFailure(call, course, thrown, settings);
      if (!course.uncertain) throw failure;
      if (call.method !== "delete" || failure.code !== "not_found") throw perhapsDone(failure);
      return { body: undefined, unexpected: () => failure }; // an earlier attempt deleted it, and its answer was lost
    }
  };
}

function requestOf({ method, signal, query, json }: Call): Options {
  return { method, ...(signal && { signal }), ...(query && { searchParams: query }), ...(json && { json }) };
}

/**
 * How each attempt is made, and whether and when another. An attempt reads its answer to the end, so that ky's time-out and
 * retries cover the body too, and makes errors of its own of all that is no success: ky's would carry the request along.
 */
function attempts(call: Call, course: Course, settings: Settings): Options {
  const failureOf = (thrown: unknown) => toFailure(call, course, thrown, settings);
  return {
    async fetch(request) {
      course.open = true;
      course.answer = await readAnswer(call, await settings.fetch(request as Request), settings);
      return new Response();
    },
    retry: {
      limit: settings.retries,
      methods: ["get", "post", "patch", "delete"],
      shouldRetry({ error }) {
        const failure = failureOf(error);
        course.uncertain ||= failure.mayHaveHappened;
        course.open = course.uncertain;
        return isRetryable(failure, call.method, settings);
      },
      delay: () => 0, // the hook waits, by a clock that can be handed in
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

function toFailure(call: Call, { open }: Course, thrown: unknown, { timeoutMs }: Settings): BluumApiError {
  if (thrown instanceof BluumApiError) return thrown;
  if (call.signal?.aborted) return aborted(call, open);
  return thrown instanceof TimeoutError ? timedOut(call, timeoutMs) : failureOfException(call, thrown);
}
