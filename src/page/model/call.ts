import { visible } from "./visible-text.ts";

/** A call that failed, with the server's message. */
export class RefusedError extends Error {
  /** The answer's status; 0 if none came. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Calls the server with JSON. @throws RefusedError if there is no answer, or one that is not 2xx */
export type Call = <Answer>(method: string, path: string, body?: object) => Promise<Answer>;

/** How the calls of a page differ from those of others. */
interface CallerOptions {
  /** To send with each call. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What to say of an answer without a message, by its status. */
  readonly words?: Readonly<Record<number, string>>;
}

/**
 * How a page calls its server.
 *
 * @param server its name at the start of a sentence: `The sandbox`
 */
export function callerOf(server: string, { headers = {}, words = {} }: CallerOptions = {}): Call {
  return async <Answer>(method: string, path: string, body?: object) => {
    const sent =
      body === undefined
        ? { headers }
        : { headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) };
    const response = await fetch(path, { method, ...sent }).catch(() => {
      throw new RefusedError(0, `${server} cannot be reached.`);
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok) {
      const { status } = response;
      throw new RefusedError(status, messageOf(answer) ?? words[status] ?? `${server} answered ${status}.`);
    }
    return answer as Answer;
  };
}

function messageOf(answer: unknown): string | undefined {
  return (answer as { error?: { message?: string } } | undefined)?.error?.message;
}

/** Why something failed, to be shown. */
export function reasonOf(error: unknown): string {
  return visible(error instanceof Error ? error.message : String(error));
}
