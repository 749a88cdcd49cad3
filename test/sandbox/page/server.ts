import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type {
  AddedEndpoint,
  Change,
  DeliveryDetail,
  DeliverySummary,
  EndpointView,
  Snapshot,
} from "../../../src/sandbox/page-api.ts";
import { DAWN, delivery, detailOf, endpoint, SURROUNDINGS } from "./world.ts";

const PAGE = fileURLToPath(new URL("../../../dist/src/sandbox/page.html", import.meta.url));

/** A change as the stream numbers it. */
interface Numbered {
  readonly revision: number;
  readonly change: Change;
}

/** One call of the page. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** The secret of every endpoint that the page adds. */
export const ADDED_SECRET = "whsec_4tQx0Zb1lD8nKcR2vYw7mPfJ6hGsEaUi";

interface Registration {
  readonly url?: string;
  readonly name?: string;
  readonly eventTypeNames?: readonly string[];
}
type Body = Registration & { readonly event?: string; readonly kind?: string; readonly status?: string };

/** A scripted sandbox behind the inspector page: all of page-api.ts, with switches for errors. */
export class PageServer {
  readonly calls: Call[] = [];
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response));
  readonly #streams = new Set<ServerResponse>();
  readonly #deliveries = new Map<string, DeliverySummary>();
  readonly #endpoints = new Map<string, EndpointView>();
  readonly #bodies = new Map<string, DeliveryDetail>();
  #changes: Numbered[] = [];
  #revision = 100;
  #started = 0;
  /** The sandbox's clock. */
  now = DAWN;
  speed = 1;
  /** While true every call is refused and no stream opens. */
  down = false;
  /** While set, every button is refused with this text. */
  refusal: string | undefined;

  static async start(
    world: { readonly endpoints?: readonly EndpointView[]; readonly deliveries?: readonly DeliverySummary[] } = {},
  ): Promise<PageServer> {
    const server = new PageServer();
    for (const endpoint of world.endpoints ?? []) server.#endpoints.set(endpoint.id, endpoint);
    for (const each of world.deliveries ?? []) server.#deliveries.set(each.id, each);
    server.now = Math.max(DAWN, ...(world.deliveries ?? []).map(({ updatedAt }) => updatedAt));
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** The calls of the page that change something. */
  get pressed(): readonly Call[] {
    return this.calls.filter(({ method }) => method !== "GET");
  }

  put(...deliveries: readonly DeliverySummary[]): void {
    for (const each of deliveries) this.emit({ kind: "delivery", now: this.now, delivery: each });
  }

  /** Sets the details of a delivery. */
  reveal(detail: DeliveryDetail): void {
    this.#bodies.set(detail.id, detail);
  }

  /** Replays a delivery without a change in the stream, as if from another page. */
  supersedeUnseen(id: string): void {
    const found = this.#deliveries.get(id);
    if (found !== undefined) this.#deliveries.set(id, { ...found, replayed: true });
  }

  emit(change: Change): void {
    const counts = this.#mayCount(change);
    this.#apply(change);
    const replayable = counts ? { replayable: this.#replayable().length } : {};
    const numbered = { revision: ++this.#revision, change: { ...change, ...replayable } };
    this.#changes.push(numbered);
    for (const stream of this.#streams) send(stream, numbered);
  }

  /** Cuts every stream, as a proxy or a sleeping laptop would. */
  cut(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  /** Forgets all changes, as after a restart. */
  forgetChanges(): void {
    this.#changes = [];
    this.#revision += 1_000;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Whether a change may alter what can be replayed. Counting goes through all deliveries, and a storm sends thousands of changes. */
  #mayCount(change: Change): boolean {
    const wasParked = (id: string) => this.#deliveries.get(id)?.state === "parked";
    if (change.kind === "delivery") return change.delivery.state === "parked" || wasParked(change.delivery.id);
    return change.kind !== "deliveries_dropped" || change.ids.some(wasParked);
  }

  #apply(change: Change): void {
    if (change.kind === "delivery") this.#deliveries.set(change.delivery.id, change.delivery);
    else if (change.kind === "endpoint") this.#endpoints.set(change.endpoint.id, change.endpoint);
    else if (change.kind === "endpoint_removed") this.#endpoints.delete(change.id);
    else for (const id of change.ids) this.#deliveries.delete(id);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://sandbox");
    if (pathname === "/")
      return void response.setHeader("content-type", "text/html; charset=utf-8").end(readFileSync(PAGE));
    const body = await bodyOf(request);
    this.calls.push({ method: request.method ?? "", path: pathname, body });
    if (this.down) return void request.socket.destroy();
    if (pathname === "/_inspector/changes") return this.#stream(request, response, searchParams);
    const path = pathname.replace("/_inspector", "");
    const [status, answer] = this.#replyOrRefusal(request.method ?? "", path, body as Body);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }

  #replyOrRefusal(...call: [method: string, path: string, body: Body]): [number, object] {
    try {
      return [200, this.#reply(...call)];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return [error.status, { error: { code: "refused", message: error.message } }];
    }
  }

  #stream(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
    const since = Number(request.headers["last-event-id"] ?? query.get("since"));
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write("retry: 100\n\n");
    const oldest = this.#changes[0]?.revision ?? this.#revision + 1;
    if (since + 1 < oldest || since > this.#revision) response.write("event: reset\ndata: {}\n\n");
    for (const numbered of this.#changes.filter(({ revision }) => revision > since)) send(response, numbered);
    this.#streams.add(response);
    response.on("close", () => this.#streams.delete(response));
  }

  #reply(method: string, path: string, body: Body): object {
    if (method === "GET" && path === "/state") return this.#snapshot();
    if (this.refusal !== undefined && method !== "GET") throw new Refusal(400, this.refusal);
    const [, room, id = "", verb] = path.split("/").map(decodeURIComponent);
    if (room === "replay-parked") return this.#replayParked();
    if (room === "scenarios") return this.#start([delivery("order.accepted"), delivery("order.filled")]);
    if (room === "events") return this.#start([delivery("single", { type: body.event ?? "" })]);
    if (room === "endpoints" && method === "POST") return this.#addEndpoint(body);
    if (room === "endpoints") return this.#setStatus(id, body.status as EndpointView["status"]);
    if (room !== "deliveries") throw new Refusal(404, "Not found.");
    return method === "GET" ? this.#open(id) : this.#press(id, verb, body.kind);
  }

  #replayParked(): object {
    return this.#replay(this.#replayable());
  }

  /** As in the real sandbox: each once, no forged delivery, no copy, none of a paused endpoint. */
  #replayable(): readonly DeliverySummary[] {
    const isActive = (id: string) => this.#endpoints.get(id)?.status === "ACTIVE";
    return [...this.#deliveries.values()].filter((each) => waitsForReplay(each) && isActive(each.endpointId));
  }

  #replay(deliveries: readonly DeliverySummary[]): object {
    this.put(...deliveries.filter(waitsForReplay).map((each) => ({ ...each, replayed: true })));
    return this.#start(deliveries.map((each) => ({ ...each, origin: "replay" })));
  }

  #open(id: string): object {
    const found = this.#deliveries.get(id);
    if (found === undefined) throw new Refusal(404, "Not found.");
    return this.#bodies.get(id) ?? detailOf(found);
  }

  #press(id: string, verb: string | undefined, kind: string | undefined): object {
    const found = this.#deliveries.get(id);
    if (found === undefined) throw new Refusal(400, "delivery is not known, or was forgotten");
    if (verb === "forge" && !SURROUNDINGS.forgeries.some((forgery) => forgery.kind === kind))
      throw new Refusal(400, "kind is no forgery that makes sense under this scheme");
    if (verb === "replay") return this.#replay([found]);
    return this.#start([{ ...found, origin: verb === "forge" ? "forged" : "duplicate" }]);
  }

  #start(models: readonly DeliverySummary[]): { readonly deliveryIds: readonly string[] } {
    const started = models.map((model) =>
      delivery(`dlv_started_${++this.#started}`, { type: model.type, origin: model.origin, createdAt: this.now }),
    );
    this.put(...started);
    return { deliveryIds: started.map(({ id }) => id) };
  }

  #addEndpoint({ url = "", name = url, eventTypeNames = ["*"] }: Registration): AddedEndpoint {
    if (url.startsWith("ftp:")) throw new Refusal(400, "url must be https, except on this machine");
    const health = { delivered: 0, failed: 0, parked: 0, recent: [], medianLatencyMs: null };
    const added = endpoint({ id: `wh_added_${++this.#started}`, url, name, eventTypeNames, ...health });
    this.emit({ kind: "endpoint", now: this.now, endpoint: added });
    return { ...added, secret: ADDED_SECRET };
  }

  #setStatus(id: string, status: EndpointView["status"]): object {
    const found = this.#endpoints.get(id);
    if (found === undefined) throw new Refusal(404, "Not found.");
    const endpoint = { ...found, status };
    this.emit({ kind: "endpoint", now: this.now, endpoint });
    return endpoint;
  }

  #snapshot(): Snapshot {
    const { now, speed } = this;
    const endpoints = [...this.#endpoints.values()];
    return {
      ...SURROUNDINGS,
      revision: this.#revision,
      now,
      speed,
      endpoints,
      deliveries: [...this.#deliveries.values()],
      replayable: this.#replayable().length,
    };
  }
}

function waitsForReplay({ origin, state, replayed }: DeliverySummary): boolean {
  return (origin === "event" || origin === "replay") && state === "parked" && !replayed;
}

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

function send(stream: ServerResponse, { revision, change }: Numbered): void {
  stream.write(`event: change\nid: ${revision}\ndata: ${JSON.stringify(change)}\n\n`);
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString("utf8"));
}
