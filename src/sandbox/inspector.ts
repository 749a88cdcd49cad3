import type { IncomingMessage, ServerResponse } from "node:http";
import { WebhookError } from "../errors.ts";
import { answerJson, answerText, readJson } from "./answers.ts";
import type { EventStreams } from "./event-stream.ts";
import type { AddedEndpoint, Snapshot, Started } from "./page-api.ts";
import type { EndpointOptions } from "./sandbox.ts";

/** What the page can ask of the sandbox; each throws a `WebhookError` for what cannot be. */
export interface Inspected {
  snapshot(): Snapshot;
  delivery(id: string): object | undefined;
  duplicate(id: string): string;
  replay(id: string): string;
  forge(id: string, kind: string | undefined): string;
  replayParked(): readonly string[];
  scenario(name: string): readonly string[];
  send(type: string, data: object | undefined): readonly string[];
  addEndpoint(options: EndpointOptions): AddedEndpoint;
  setStatus(id: string, status: string): object | undefined;
}

class NotPossible extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** A call that changes something, and what it needs of the path and the body. */
interface Action {
  readonly method: "POST" | "PATCH";
  readonly path: RegExp;
  readonly run: (inspected: Inspected, parameter: string, fields: Fields) => object;
}

const ACTIONS: readonly Action[] = [
  {
    method: "POST",
    path: /^deliveries\/([^/]+)\/duplicate$/,
    run: (inspected, id) => started([inspected.duplicate(id)]),
  },
  { method: "POST", path: /^deliveries\/([^/]+)\/replay$/, run: (inspected, id) => started([inspected.replay(id)]) },
  {
    method: "POST",
    path: /^deliveries\/([^/]+)\/forge$/,
    run: (inspected, id, { kind }) => started([inspected.forge(id, text("kind", kind, true))]),
  },
  { method: "POST", path: /^replay-parked$/, run: (inspected) => started(inspected.replayParked()) },
  { method: "POST", path: /^scenarios\/([^/]+)$/, run: (inspected, name) => started(inspected.scenario(name)) },
  {
    method: "POST",
    path: /^events$/,
    run: (inspected, _, { event, data }) => started(inspected.send(text("event", event) ?? "", data as object)),
  },
  {
    method: "POST",
    path: /^endpoints$/,
    // Checked by whoever registers it.
    run: (inspected, _, { url, name = url, eventTypeNames }) =>
      inspected.addEndpoint({ url, name, eventTypeNames } as EndpointOptions),
  },
  {
    method: "PATCH",
    path: /^endpoints\/([^/]+)$/,
    run: (inspected, id, { status }) => found(inspected.setStatus(id, text("status", status) ?? "")),
  },
];

/** The part of the page's policy that the page itself cannot set. */
const PAGE_POLICY = "frame-ancestors 'none'";

/** The inspector: the page at `/`, and what it asks for under `/_inspector/`, as page-api.ts describes. */
export class Inspector {
  readonly #inspected: Inspected;
  readonly #streams: EventStreams;
  readonly #page: string | undefined;

  constructor(inspected: Inspected, streams: EventStreams, page: string | undefined) {
    this.#inspected = inspected;
    this.#streams = streams;
    this.#page = page;
  }

  /** Answers with the page. */
  answerPage(response: ServerResponse): void {
    if (this.#page === undefined) {
      answerText(response, 404, "The inspector page was not built, or cannot be read under this test runner.\n");
      return;
    }
    response.setHeader("Content-Security-Policy", PAGE_POLICY);
    answerText(response, 200, this.#page, "text/html; charset=utf-8");
  }

  /** Answers one call of the page. Rejects only where the caller left. */
  async answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    try {
      const path = url.pathname.slice("/_inspector/".length);
      if (request.method === "GET") this.#get(path, request, response, url);
      else answerJson(response, 200, await this.#act(path, request));
    } catch (error) {
      answerError(response, error);
    }
  }

  #get(path: string, request: IncomingMessage, response: ServerResponse, url: URL): void {
    if (path === "changes") this.#follow(request, response, url);
    else answerJson(response, 200, found(this.#read(path)));
  }

  #read(path: string): object | undefined {
    if (path === "state") return this.#inspected.snapshot();
    const [, id] = /^deliveries\/([^/]+)$/.exec(path) ?? [];
    return id === undefined ? undefined : this.#inspected.delivery(id);
  }

  /** A browser that comes back names what it saw last in the header; the address still says where it began. */
  #follow({ headers }: IncomingMessage, response: ServerResponse, { searchParams }: URL): void {
    const since = headers["last-event-id"]?.toString() ?? searchParams.get("since");
    if (this.#streams.open(response, since === null ? undefined : Number(since))) return;
    throw new NotPossible(503, "too_many_streams", "Too many pages follow already.");
  }

  async #act(path: string, request: IncomingMessage): Promise<object> {
    const action = ACTIONS.find((one) => one.method === request.method && one.path.test(path));
    const fields = await readJson(request);
    if (action === undefined) throw notFound();
    if (typeof fields === "string") {
      const [status, message] = fields === "too_large" ? [413, "too large"] : [400, "no JSON object"];
      throw new NotPossible(status as number, fields, `The body is ${message}.`);
    }
    const [, parameter = ""] = action.path.exec(path) ?? [];
    return action.run(this.#inspected, parameter, fields);
  }
}

function answerError(response: ServerResponse, error: unknown): void {
  if (!(error instanceof NotPossible || error instanceof WebhookError)) throw error;
  const { code, message } = error;
  answerJson(response, error instanceof NotPossible ? error.status : 400, { error: { code, message } });
}

function started(deliveryIds: readonly string[]): Started {
  return { deliveryIds };
}

function found<Thing extends object>(thing: Thing | undefined): Thing {
  if (thing === undefined) throw notFound();
  return thing;
}

function notFound(): NotPossible {
  return new NotPossible(404, "not_found", "There is no such thing.");
}

function text(name: string, value: unknown, isOptional = false): string | undefined {
  if (typeof value === "string" || (isOptional && value === undefined)) return value;
  throw new NotPossible(400, "invalid", `${name} must be a text.`);
}
