import { PAGE_HEADER } from "../../../src/inbox/page/api.ts";

/** An answer of the page's server. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The text as JSON; undefined if it is not JSON. */
  readonly value: unknown;
}

/** Reads with the page's own query. */
export function get(url: string, query: Readonly<Record<string, string>> = {}, init: RequestInit = {}) {
  return answered(fetch(`${url}?${new URLSearchParams(query)}`, init));
}

/** The headers of a call that the page itself sends. */
export function ownHeaders(url: string): Record<string, string> {
  return { origin: new URL(url).origin, "content-type": "application/json", [PAGE_HEADER]: "1" };
}

/** Sends an action as the page does, or with other headers or another body. */
export function post(
  url: string,
  call: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = ownHeaders(url),
) {
  const sent = typeof body === "string" ? body : JSON.stringify(body);
  return answered(fetch(`${url}?call=${call}`, { method: "POST", headers, body: sent }));
}

async function answered(answer: Promise<Response>): Promise<Answered> {
  const { status, headers, ...response } = await answer.then(async (one) => ({
    status: one.status,
    headers: one.headers,
    text: await one.text(),
  }));
  return { status, headers, text: response.text, value: parsed(response.text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A stream of server-sent events, as it comes. */
export interface Followed {
  readonly status: number;
  readonly headers: Headers;
  readonly received: () => string;
  readonly ended: Promise<void>;
  readonly leave: () => void;
}

/** Follows the counts. */
export async function follow(url: string): Promise<Followed> {
  const leaving = new AbortController();
  const { status, headers, body } = await fetch(`${url}?call=counts`, { signal: leaving.signal });
  let received = "";
  const read = async () => {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) received += decoder.decode(chunk);
    } catch {}
  };
  return { status, headers, received: () => received, ended: read(), leave: () => leaving.abort() };
}
