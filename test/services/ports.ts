import { createServer, type Server } from "node:net";

/** Lets a server listen on this machine only, on a free port unless one is given; gives the port. */
export function listen(server: Server, port = 0): Promise<[server: Server, port: number]> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      resolve([server, typeof address === "object" && address ? address.port : port]);
    });
  });
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const [server, port] = await listen(createServer());
  await new Promise((resolve) => server.close(resolve));
  return port;
}
