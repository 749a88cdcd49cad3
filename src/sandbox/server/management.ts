import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Endpoint } from "../endpoints/endpoint.ts";
import { changesFrom, Invalid, registrationFrom } from "../endpoints/registration.ts";
import { MAX_ENDPOINTS, type Registry } from "../endpoints/registry.ts";
import { answerJson, readFields } from "./answers.ts";
import type { Caller } from "./credentials.ts";
import {
  type ApiError,
  deletedAnswer,
  type ErrorShape,
  errorAnswer,
  eventTypesAnswer,
  type ListShape,
  listAnswer,
  type ResponseShape,
  webhookAnswer,
} from "./shapes.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

/** What the management API works with. */
export interface ManagementParts {
  readonly registry: Registry;
  readonly callerOf: (authorization: string | undefined) => Caller;
  readonly responseShape: ResponseShape;
  readonly listShape: ListShape;
  readonly errorShape: ErrorShape;
}

/** The answer to a call. */
interface Reply {
  readonly status: number;
  readonly value: object;
  readonly headers?: Readonly<Record<string, string>>;
}

class Refusal extends Error implements ApiError {
  readonly status: number;
  declare readonly param?: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, param?: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
    if (param !== undefined) this.param = param;
  }
}

/** `/v1/webhooks` and `/v1/webhooks/event-types`, as Bluum documents them. */
export class ManagementApi {
  readonly #parts: ManagementParts;

  constructor(parts: ManagementParts) {
    this.#parts = parts;
  }

  /** Answers one call. Rejects only if the client disconnected. */
  async answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    response.setHeader("X-Request-Id", `req_${randomUUID()}`);
    const { status, value, headers = {} } = await this.#reply(request, url);
    for (const [name, text] of Object.entries(headers)) response.setHeader(name, text);
    answerJson(response, status, value);
  }

  async #reply(request: IncomingMessage, url: URL): Promise<Reply> {
    try {
      this.#authorize(request);
      return await this.#route(request, url);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { status: error.status, value: errorAnswer(this.#parts.errorShape, error), headers: error.headers };
    }
  }

  #authorize({ headers }: IncomingMessage): void {
    const caller = this.#parts.callerOf(headers.authorization);
    if (caller === "tenant") return;
    if (caller === "investor") throw new Refusal(403, "Webhooks need a tenant-wide API key; this one is an investor's");
    throw new Refusal(401, "The API key or its secret is wrong", undefined, {
      "WWW-Authenticate": 'Basic realm="Bluum sandbox", charset="UTF-8"',
    });
  }

  #route(request: IncomingMessage, url: URL): Reply | Promise<Reply> {
    const { method = "" } = request;
    if (url.pathname === "/v1/webhooks/event-types") return only(method, { GET: () => ok(eventTypesAnswer()) });
    if (url.pathname === "/v1/webhooks") {
      return only(method, { GET: () => this.#list(url), POST: () => this.#create(request) });
    }
    const [, id] = /^\/v1\/webhooks\/([^/]+)$/.exec(url.pathname) ?? [];
    if (id === undefined) throw new Refusal(404, "There is no such resource");
    return only(method, {
      PATCH: () => this.#change(this.#find(id), request),
      DELETE: () => this.#remove(this.#find(id)),
    });
  }

  #list({ searchParams }: URL): Reply {
    // A wrapped list cannot say that there is more, so a small default would hide webhooks.
    const otherwise = this.#parts.listShape === "wrapped" ? MAX_LIMIT : DEFAULT_LIMIT;
    const limit = wholeNumber(searchParams, "limit", otherwise, 1, MAX_LIMIT);
    const offset = wholeNumber(searchParams, "offset", 0, 0, Number.MAX_SAFE_INTEGER);
    const all = this.#parts.registry.all();
    const page = { endpoints: all.slice(offset, offset + limit), hasMore: all.length > offset + limit };
    return ok(listAnswer(this.#parts.responseShape, this.#parts.listShape, page));
  }

  async #create(request: IncomingMessage): Promise<Reply> {
    const registration = valid(registrationFrom(await fieldsOf(request)));
    const { registry, responseShape } = this.#parts;
    if (registry.all().length >= MAX_ENDPOINTS)
      throw new Refusal(400, `The limit of ${MAX_ENDPOINTS} webhooks is reached`);
    const endpoint = registry.add(registration);
    return { status: 201, value: webhookAnswer(responseShape, endpoint, "Webhook created", true) };
  }

  async #change(endpoint: Endpoint, request: IncomingMessage): Promise<Reply> {
    const changes = valid(changesFrom(await fieldsOf(request)));
    if (Object.keys(changes).length === 0) throw new Refusal(400, "The body names nothing to change");
    this.#parts.registry.change(endpoint, changes);
    return ok(webhookAnswer(this.#parts.responseShape, endpoint, "Webhook updated"));
  }

  #remove(endpoint: Endpoint): Reply {
    this.#parts.registry.remove(endpoint);
    return ok(deletedAnswer(this.#parts.responseShape, endpoint));
  }

  #find(id: string): Endpoint {
    const endpoint = this.#parts.registry.get(id);
    if (endpoint === undefined) throw new Refusal(404, "There is no such webhook");
    return endpoint;
  }
}

function ok(value: object): Reply {
  return { status: 200, value };
}

function only(
  method: string,
  handlers: Readonly<Record<string, () => Reply | Promise<Reply>>>,
): Reply | Promise<Reply> {
  if (Object.hasOwn(handlers, method)) return handlers[method]?.() as Reply | Promise<Reply>;
  throw new Refusal(405, `${method} is not allowed here`, undefined, { Allow: Object.keys(handlers).join(", ") });
}

async function fieldsOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const fields = await readFields(request);
  if (fields === "too_large") throw new Refusal(413, "The body is too large");
  if (fields === "not_json") throw new Refusal(400, "The body must be a JSON object, sent as application/json");
  return fields;
}

function valid<Checked>(checked: Checked | Invalid): Checked {
  if (checked instanceof Invalid) throw new Refusal(400, checked.message, checked.param);
  return checked;
}

function wholeNumber(query: URLSearchParams, name: string, otherwise: number, least: number, most: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Refusal(400, `${name} must be a whole number from ${least} to ${most}`, name);
}
