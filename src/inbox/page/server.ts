import { WebhookError } from "../../errors.ts";
import { PAGE_POLICY, SECURITY_HEADERS } from "../../page/server/headers.ts";
import { type Fields, readJson } from "../../page/server/json-body.ts";
import { Refused, refusedBody } from "../../page/server/refused.ts";
import { PAGE_HEADER } from "./api.ts";
import { checkedSelection } from "./checked.ts";
import { type Incoming, isOwnCall, isReading } from "./incoming.ts";
import { LiveCounts } from "./live-counts.ts";
import type { InspectedInbox, InspectInboxOptions } from "./options.ts";
import type { Mask } from "./payload-view.ts";
import { readEvent, readOverview, readParked } from "./read.ts";

/** The inbox's page and its API, as api.ts describes it. */
export class InboxPageServer {
  readonly #inbox: InspectedInbox;
  readonly #mask: Mask;
  readonly #counts: LiveCounts;
  readonly #onError: (error: unknown) => void;
  #page: Promise<string | undefined> | undefined;

  constructor(inbox: InspectedInbox, { mask, onError }: Pick<InspectInboxOptions, "mask" | "onError">) {
    this.#inbox = inbox;
    this.#onError = (error) => {
      // What it throws must not change the answer.
      try {
        onError?.(error);
      } catch {}
    };
    this.#mask = { apply: mask, onError: this.#onError };
    this.#counts = new LiveCounts(inbox, this.#onError);
  }

  /**
   * Answers one request. Never rejects.
   *
   * @param authorize whether the request may be answered
   */
  async answer(incoming: Incoming, authorize: () => unknown): Promise<Response> {
    try {
      if (!(await authorize())) return forbidden();
    } catch (error) {
      this.#onError(error);
      return forbidden();
    }
    try {
      return await this.#answer(incoming);
    } catch (error) {
      return this.#refusal(error);
    }
  }

  /** Ends the streams of all pages. */
  close(): void {
    this.#counts.close();
  }

  async #answer(incoming: Incoming): Promise<Response> {
    const { method, query } = incoming;
    const call = query.get("call");
    if (method !== "POST" && !isReading(method)) return json(405, errorOf("not_allowed", "Use GET or POST."), ALLOWED);
    if (method !== "POST" && call === null) return await this.#answerPage(method);
    if (!isOwnCall(incoming)) throw new Refused(403, "foreign", "Only the inbox's own page may send this request.");
    if (method === "POST") return json(200, await this.#act(call, incoming));
    if (call === "counts") return this.#follow();
    return json(200, await this.#read(call, query));
  }

  #read(call: string | null, query: URLSearchParams): Promise<object> {
    if (call === "overview") return readOverview(this.#inbox);
    if (call === "parked") return readParked(this.#inbox, query);
    if (call === "event") return readEvent(this.#inbox, query, this.#mask);
    throw notFound();
  }

  async #act(call: string | null, { header, body }: Incoming): Promise<object> {
    if (header(PAGE_HEADER) === undefined) throw new Refused(403, "foreign", `The header ${PAGE_HEADER} is missing.`);
    if (call !== "redrive" && call !== "discard") throw notFound();
    const selection = checkedSelection(await fieldsOf(body, header("content-type")));
    return { count: await this.#inbox[call](selection) };
  }

  #follow(): Response {
    const stream = this.#counts.open();
    if (stream === undefined) throw new Refused(503, "too_many_streams", "Too many pages are connected.");
    return new Response(stream, { headers: { ...SECURITY_HEADERS, ...STREAM_HEADERS } });
  }

  async #answerPage(method: string): Promise<Response> {
    this.#page ??= readPageFile();
    const page = await this.#page;
    if (page === undefined) {
      throw new Refused(404, "not_built", "The page's file cannot be read: the package was bundled without it.");
    }
    const headers = { ...SECURITY_HEADERS, "Content-Security-Policy": PAGE_POLICY, "Content-Type": HTML };
    return new Response(method === "HEAD" ? null : page, { headers });
  }

  /** The option checks of inboxes, such as of a cursor, show nothing of the events. */
  #refusal(error: unknown): Response {
    if (error instanceof Refused) return json(error.status, errorOf(error.code, error.message));
    if (error instanceof WebhookError && error.code === "configuration_invalid") {
      return json(400, errorOf("invalid", error.message));
    }
    this.#onError(error);
    return json(503, errorOf("inbox_unavailable", "The inbox does not answer."));
  }
}

const HTML = "text/html; charset=utf-8";
const ALLOWED = { Allow: "GET, HEAD, POST" };
/** Nothing on the way may change the stream, or hold it back. */
const STREAM_HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store, no-transform",
  "X-Accel-Buffering": "no",
};

function forbidden(): Response {
  return new Response(null, { status: 403, headers: SECURITY_HEADERS });
}

function json(status: number, value: object, more: Readonly<Record<string, string>> = {}): Response {
  const headers = { ...SECURITY_HEADERS, "Content-Type": "application/json; charset=utf-8", ...more };
  return new Response(JSON.stringify(value), { status, headers });
}

function errorOf(code: string, message: string): object {
  return { error: { code, message } };
}

function notFound(): Refused {
  return new Refused(404, "not_found", "Not found.");
}

async function fieldsOf(body: AsyncIterable<Uint8Array>, contentType: string | undefined): Promise<Fields> {
  const fields = await readJson(body, contentType).catch(() => "not_json" as const);
  if (typeof fields === "string") throw refusedBody(fields);
  return fields;
}

/** The page's file is found by `import.meta`, which is missing if a test runner such as Jest has turned the modules into CommonJS. */
async function readPageFile(): Promise<string | undefined> {
  const file = await import("../../page/server/page-file.ts").catch(() => undefined);
  return file?.readPage("inbox/page.html");
}
