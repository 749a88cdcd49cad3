import { createServer, type IncomingMessage, type RequestListener, request, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import { afterAll } from "vitest";

export const PATH = "/webhooks/bluum";

const endings: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(endings.map((end) => end())));

/** Starts a server that stops after all tests of the file. Returns its address. */
export async function served(app: RequestListener | Server, path: string = PATH): Promise<string> {
  return `http://127.0.0.1:${await portOf(typeof app === "function" ? createServer(app) : app)}${path}`;
}

/** Starts a TCP server that may not speak HTTP. Returns its address. */
export async function raw(talk: (socket: Socket) => void): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    talk(socket);
  });
  return `http://127.0.0.1:${await portOf(server)}${PATH}`;
}

/** Listens on a free port of 127.0.0.1. */
async function portOf(server: TcpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket.once("close", () => sockets.delete(socket))));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endings.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** A request as a proxy passes it on. */
export interface Passing {
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** A reverse proxy in front of a server that changes every request. */
export function proxied(behind: string, change: (passing: Passing) => Passing): Promise<string> {
  return served(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const { headers, body } = change({ headers: req.headers, body: Buffer.concat(chunks) });
    const { "transfer-encoding": _, ...kept } = headers;
    const onward = request(new URL(req.url ?? "/", behind), {
      method: req.method ?? "GET",
      agent: false,
      headers: { ...kept, "content-length": String(body.length) },
    });
    onward.on("response", (answer) => answer.pipe(res.writeHead(answer.statusCode ?? 502, answer.headers)));
    onward.on("error", () => res.writeHead(502).end());
    onward.end(body);
  });
}
