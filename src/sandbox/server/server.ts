import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { checks } from "../checks.ts";
import { answerText, secure } from "./answers.ts";
import type { Inspector } from "./inspector.ts";
import type { ManagementApi } from "./management.ts";
import { isOwnHost, isOwnOrigin } from "./origins.ts";

/** Who answers what. */
export interface Rooms {
  readonly management: ManagementApi;
  readonly inspector: Inspector;
}

/** The sandbox's own HTTP server. */
export interface Listening {
  readonly port: number;
  /** Ends every connection. */
  close(): Promise<void>;
}

/**
 * Listens.
 *
 * @throws WebhookError `configuration_invalid` where the address cannot be had
 */
export async function listen(host: string, port: number, rooms: Rooms): Promise<Listening> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 });
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    throw checks.invalid("port", `${port} of ${host} cannot be listened on`, error);
  }
  const address = server.address() as AddressInfo;
  server.on("request", (request, response) => {
    // What is left is that the caller went away in the middle.
    answer(request, response, { host, port: address.port, rooms }).catch(() => response.destroy());
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
  readonly rooms: Rooms;
}

async function answer(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const { host, port, rooms } = context;
  secure(response);
  const url = new URL(
    request.url?.startsWith("/") ? `http://sandbox.invalid${request.url}` : "http://sandbox.invalid/*",
  );
  const isReading = request.method === "GET" || request.method === "HEAD";
  if (!isOwnHost(request, host, port)) answerText(response, 421, "This server goes by another name.\n");
  else if (url.pathname.startsWith("/v1/")) await rooms.management.answer(request, response, url);
  else if (!isReading && !isOwnOrigin(request)) answerText(response, 403, FOREIGN);
  else if (url.pathname.startsWith("/_inspector/")) await rooms.inspector.answer(request, response, url);
  else if (url.pathname === "/" && isReading) rooms.inspector.answerPage(response);
  else answerText(response, 404, "There is nothing here. The inspector is at /, the API under /v1.\n");
}

const FOREIGN = "Only the inspector's own page may ask for this.\n";
