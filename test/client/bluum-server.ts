import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type BluumClient, type BluumClientOptions, createBluumClient } from "../../src/client/index.ts";

export const API_KEY = "key_tenant_7f3a";
export const API_SECRET = "s3cret/of the+API=key";
const AUTHORIZATION = `Basic ${Buffer.from(`${API_KEY}:${API_SECRET}`).toString("base64")}`;

/** The three published forms of a webhook, and of the list of them. */
export const FORMS = ["flat", "snake", "camel"] as const;
type Form = (typeof FORMS)[number];

/** A webhook as the server stores it. */
export interface Kept {
  id: string;
  name: string;
  url: string;
  description?: string;
  eventTypeNames: string[];
  status: "ACTIVE" | "INACTIVE";
  secret: string;
  createdAt: string;
}

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** Answers one request in place of the server. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse, seen: Seen) => void;

export interface BluumServer {
  readonly url: string;
  readonly requests: Seen[];
  readonly webhooks: Kept[];
  /** Answers to the next requests, one each. */
  readonly next: Misbehaviour[];
  /** The requests, such as `GET /v1/webhooks`. */
  calls(): string[];
}

export interface ServerOptions {
  readonly form?: Form;
  readonly webhooks?: readonly Partial<Kept>[];
  readonly eventTypes?: readonly unknown[];
  /** The most webhooks on a page, even if more are requested. */
  readonly pageSize?: number;
  /** Whether wildcards are returned as the names that they match. */
  readonly expands?: boolean;
}

export const EVENT_TYPES = [
  "order.accepted",
  "order.filled",
  "transfer.deposit.completed",
  "compliance.review.opened",
].map((name) => ({ name, description: `About ${name}`, version: "1.0" }));

let made = 0;

export function kept(fields: Partial<Kept> = {}): Kept {
  made += 1;
  return {
    id: `wh_${made}`,
    name: "orders",
    url: `https://example.com/webhooks/${made}`,
    eventTypeNames: ["order.filled"],
    status: "ACTIVE",
    secret: `whsec_${Buffer.from(`secret of webhook ${made}`).toString("base64")}`,
    createdAt: "2026-01-02T03:04:05Z",
    ...fields,
  };
}

/** Serves Bluum's published management API on this machine until the test ends. */
export async function startBluum(options: ServerOptions = {}): Promise<BluumServer> {
  const webhooks = (options.webhooks ?? []).map(kept);
  const requests: Seen[] = [];
  const next: Misbehaviour[] = [];
  const server = createServer(async (request, response) => {
    const seen = await see(request);
    requests.push(seen);
    const misbehave = next.shift();
    if (misbehave) return misbehave(request, response, seen);
    const { status, body } = answer(seen, webhooks, options);
    json(response, status, body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return { url, requests, webhooks, next, calls: () => requests.map(({ method, path }) => `${method} ${path}`) };
}

/** A client of such a server that does not wait before retries; `waits` has the times in milliseconds. */
export function clientOf(
  server: { readonly url: string },
  options: BluumClientOptions = {},
): BluumClient & { waits: number[] } {
  const waits: number[] = [];
  const client = createBluumClient({
    ...{ apiKey: API_KEY, apiSecret: API_SECRET, baseUrl: server.url, env: {} },
    sleep: async (ms) => void waits.push(ms),
    random: () => 0.5,
    ...options,
  });
  return { ...client, waits };
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", "x-request-id": "req_1", ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

/** Answers with a status and an error in the newer form. */
export function failing(status: number, headers: Record<string, string> = {}, message = "No."): Misbehaviour {
  const error = { type: "some_error", code: `BLUM-${status}-001`, message, param: "url" };
  return (_request, response) => json(response, status, { error }, headers);
}

/** Ends the connection without an answer. */
export const hangUp: Misbehaviour = (request) => void request.socket.destroy();

/** Never answers. */
export const silent: Misbehaviour = () => {};

async function see(request: IncomingMessage): Promise<Seen> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const url = new URL(request.url ?? "/", "http://localhost");
  return {
    method: request.method ?? "",
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body: text === "" ? undefined : JSON.parse(text),
  };
}

interface Answered {
  readonly status: number;
  readonly body?: unknown;
}

function answer(seen: Seen, webhooks: Kept[], options: ServerOptions): Answered {
  const { form = "flat" } = options;
  const refuse = (status: number, message: string) => ({
    status,
    body: { status: "error", code: `BLUM-${status}`, message },
  });
  if (seen.headers.authorization !== AUTHORIZATION) return refuse(401, "Invalid credentials.");
  if (seen.path === "/v1/webhooks/event-types")
    return { status: 200, body: { status: "success", data: { eventTypes: options.eventTypes ?? EVENT_TYPES } } };
  const [, id] = /^\/v1\/webhooks\/([^/]+)$/.exec(seen.path) ?? [];
  const webhook = webhooks.find((each) => each.id === id);
  if (id === undefined && seen.method === "GET") return { status: 200, body: page(seen, webhooks, options) };
  if (id === undefined && seen.method === "POST") {
    const created = kept(expand(seen.body as Partial<Kept>, options));
    webhooks.push(created);
    return { status: 201, body: wrapped(created, form, true) };
  }
  if (webhook === undefined) return refuse(404, "There is no such webhook.");
  if (seen.method === "DELETE") {
    webhooks.splice(webhooks.indexOf(webhook), 1);
    return {
      status: form === "flat" ? 204 : 200,
      ...(form !== "flat" && { body: { status: "success", message: "Deleted." } }),
    };
  }
  Object.assign(webhook, expand(seen.body as Partial<Kept>, options));
  return { status: 200, body: wrapped(webhook, form, false) };
}

function expand(fields: Partial<Kept>, { expands, eventTypes = EVENT_TYPES }: ServerOptions): Partial<Kept> {
  if (!expands || fields.eventTypeNames === undefined) return fields;
  const names = (eventTypes as { name: string }[]).map(({ name }) => name);
  const prefixes = fields.eventTypeNames.map((name) => name.replace(/\*$/, ""));
  return { ...fields, eventTypeNames: names.filter((name) => prefixes.some((prefix) => name.startsWith(prefix))) };
}

function page({ query }: Seen, webhooks: readonly Kept[], { form = "flat", pageSize = 200 }: ServerOptions): unknown {
  const offset = Number(query.get("offset") ?? 0);
  const size = Math.min(pageSize, Number(query.get("limit") ?? 10));
  const items = webhooks.slice(offset, offset + size).map((each) => shaped(each, form));
  if (form !== "flat") return { status: "success", data: { webhooks: items } };
  return { object: "list", url: "/v1/webhooks", has_more: offset + size < webhooks.length, data: items };
}

function wrapped(webhook: Kept, form: Form, isNew: boolean): unknown {
  const shape = { ...(shaped(webhook, form) as object), ...(isNew && { secret: webhook.secret }) };
  return form === "flat" ? shape : { status: "success", message: "Done.", data: { webhook: shape } };
}

function shaped({ id, name, url, eventTypeNames, status, createdAt, description }: Kept, form: Form): unknown {
  if (form === "flat") {
    const flat = { id, object: "webhook", url, event_type_names: eventTypeNames, status: status.toLowerCase() };
    return { ...flat, name, description, created_at: createdAt, livemode: false };
  }
  if (form === "snake")
    return { webhook_id: id, name, url, eventTypeNames, status, description, created_at: createdAt };
  const eventTypes = eventTypeNames.map((name, place) => ({ id: `et_${place}`, name, version: "1.0" }));
  return { id, name, url, description: description ?? "", status, eventTypes, createdAt, updatedAt: createdAt };
}
