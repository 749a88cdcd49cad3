import type { IncomingMessage, ServerResponse } from "node:http";
import { WebhookError } from "../../errors.ts";
import { PAGE_POLICY } from "../../page/server/headers.ts";
import type { Fields } from "../../page/server/json-body.ts";
import { Refused, refusedBody } from "../../page/server/refused.ts";
import type { Delivery } from "../deliveries/delivery.ts";
import { endpointView } from "../endpoints/endpoint.ts";
import type { Operations } from "../operations.ts";
import type { EndpointOptions } from "../options.ts";
import type { AddedEndpoint, Snapshot, Started } from "../page-api.ts";
import { answerJson, answerText, readFields } from "./answers.ts";
import type { EventStreams } from "./event-stream.ts";

/** What an inspector works with. */
export interface InspectorParts {
  readonly operations: Operations;
  readonly streams: EventStreams;
  readonly snapshot: () => Snapshot;
  /** The page's HTML; undefined if it could not be read. */
  readonly page: string | undefined;
}

/** A call that changes something: what it does with the parameter of its path and the fields of its body. */
interface Action {
  readonly method: "POST" | "PATCH";
  readonly path: RegExp;
  readonly run: (operations: Operations, parameter: string, fields: Fields) => object;
}

const ACTIONS: readonly Action[] = [
  {
    method: "POST",
    path: /^deliveries\/([^/]+)\/duplicate$/,
    run: (operations, id) => started([operations.duplicate(id)]),
  },
  {
    method: "POST",
    path: /^deliveries\/([^/]+)\/replay$/,
    run: (operations, id) => started([operations.replay(id)]),
  },
  {
    method: "POST",
    path: /^deliveries\/([^/]+)\/forge$/,
    run: (operations, id, { kind }) => started([operations.forge(id, text("kind", kind, true))]),
  },
  { method: "POST", path: /^replay-parked$/, run: (operations) => started(operations.replayParked()) },
  { method: "POST", path: /^scenarios\/([^/]+)$/, run: (operations, name) => started(operations.scenario(name)) },
  { method: "POST", path: /^events$/, run: (operations, _, fields) => started(send(operations, fields)) },
  { method: "POST", path: /^endpoints$/, run: (operations, _, fields) => addEndpoint(operations, fields) },
  {
    method: "PATCH",
    path: /^endpoints\/([^/]+)$/,
    run: (operations, id, { status }) => endpointView(found(operations.setStatus(id, text("status", status) ?? ""))),
  },
];

function send(operations: Operations, { event, data }: Fields): Delivery[] {
  const type = text("event", event) ?? "";
  // `send` checks that the data is an object.
  return operations.send(type, data === undefined ? {} : { data: data as object });
}

function addEndpoint(operations: Operations, { url, name = url, eventTypeNames }: Fields): AddedEndpoint {
  // `register` checks the fields.
  const endpoint = operations.register({ url, name, eventTypeNames } as EndpointOptions);
  return { ...endpointView(endpoint), secret: endpoint.secrets[0] };
}

/** The inspector: the page at `/`, and its API under `/_inspector/`, as page-api.ts describes it. */
export class Inspector {
  readonly #parts: InspectorParts;

  constructor(parts: InspectorParts) {
    this.#parts = parts;
  }

  /** Answers with the page. */
  answerPage(response: ServerResponse): void {
    const { page } = this.#parts;
    if (page === undefined) {
      answerText(response, 404, "The inspector page was not built, or cannot be read under this test runner.\n");
      return;
    }
    response.setHeader("Content-Security-Policy", PAGE_POLICY);
    answerText(response, 200, page, "text/html; charset=utf-8");
  }

  /** Answers one call of the page. Rejects only if the client disconnected. */
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
    if (path === "state") return this.#parts.snapshot();
    const [, id] = /^deliveries\/([^/]+)$/.exec(path) ?? [];
    return id === undefined ? undefined : this.#parts.operations.detail(id);
  }

  /** A browser that reconnects sends its last revision in the header; the query still has the first one. */
  #follow({ headers }: IncomingMessage, response: ServerResponse, { searchParams }: URL): void {
    const since = headers["last-event-id"]?.toString() ?? searchParams.get("since");
    if (this.#parts.streams.open(response, since === null ? undefined : Number(since))) return;
    throw new Refused(503, "too_many_streams", "Too many pages are connected.");
  }

  async #act(path: string, request: IncomingMessage): Promise<object> {
    const action = ACTIONS.find((one) => one.method === request.method && one.path.test(path));
    const fields = await readFields(request);
    if (action === undefined) throw notFound();
    if (typeof fields === "string") throw refusedBody(fields);
    const [, parameter = ""] = action.path.exec(path) ?? [];
    return action.run(this.#parts.operations, parameter, fields);
  }
}

function answerError(response: ServerResponse, error: unknown): void {
  if (!(error instanceof Refused || error instanceof WebhookError)) throw error;
  const { code, message } = error;
  answerJson(response, error instanceof Refused ? error.status : 400, { error: { code, message } });
}

function started(deliveries: readonly Delivery[]): Started {
  return { deliveryIds: deliveries.map(({ id }) => id) };
}

function found<Thing extends object>(thing: Thing | undefined): Thing {
  if (thing === undefined) throw notFound();
  return thing;
}

function notFound(): Refused {
  return new Refused(404, "not_found", "Not found.");
}

function text(name: string, value: unknown, isOptional = false): string | undefined {
  if (typeof value === "string" || (isOptional && value === undefined)) return value;
  throw new Refused(400, "invalid", `${name} must be a string.`);
}
