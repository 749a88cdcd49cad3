import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { checks } from "../checks.ts";
import { answerText, secure } from "./answers.ts";
import type { Inspector } from "./inspector.ts";
import type { ManagementApi } from "./management.ts";
import { isOwnHost, isOwnOrigin } from "./origins.ts";

/** The parts of the server that answer requests. */
export interface Routes {
  readonly management: ManagementApi;
  readonly inspector: Inspector;
}

/** An HTTP server that is listening. */
export interface Listening {
  readonly port: number;
  /** Ends every connection. */
  close(): Promise<void>;
}

/**
 * Starts the HTTP server.
 *
 * @throws WebhookError `configuration_invalid` if the port or the address is not available
 */
export async function listen(host: string, port: number, routes: Routes): Promise<Listening> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 });
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    throw checks.invalid("port", `${port} of ${host} cannot be listened on`, error);
  }
  const address = server.address() as AddressInfo;
  server.on("request", (request, response) => {
    // Rejects only if the client disconnected.
    answer(request, response, { host, port: address.port, routes }).catch(() => response.destroy());
  });
  return { port: address.port, close: () => end(server) };
}

async function end(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

interface Context {
  readonly host: string;
  readonly port: number;
  readonly routes: Routes;
}

async function answer(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const { host, port, routes } = context;
  secure(response);
  const url = new URL(
    request.url?.startsWith("/") ? `http://sandbox.invalid${request.url}` : "http://sandbox.invalid/*",
  );
  const isReading = request.method === "GET" || request.method === "HEAD";
  if (!isOwnHost(request, host, port)) answerText(response, 421, "This server has another name.\n");
  else if (url.pathname.startsWith("/v1/")) await routes.management.answer(request, response, url);
  else if (!isReading && !isOwnOrigin(request)) answerText(response, 403, FOREIGN);
  else if (url.pathname.startsWith("/_inspector/")) await routes.inspector.answer(request, response, url);
  else if (url.pathname === "/" && isReading) routes.inspector.answerPage(response);
  else answerText(response, 404, "Not found. The inspector is at /, the API under /v1.\n");
}

const FOREIGN = "Only the inspector's own page may send this request.\n";
