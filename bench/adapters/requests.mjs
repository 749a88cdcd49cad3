// Signed deliveries as raw HTTP requests, and the connections for them.
import { once } from "node:events";
import { connect } from "node:net";
import { PATH } from "./path.mjs";

/** A delivery as the provider would send it, as bytes for a socket. */
export function requestOf(body, port, signature) {
  const headers = {
    host: `127.0.0.1:${port}`,
    "user-agent": "Bluum-Webhooks/1.0",
    accept: "*/*",
    "content-type": "application/json",
    "content-length": body.length,
    ...signature,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${PATH} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1"), body]);
}

/** A connection to a server on this machine. */
export async function opened(port) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket;
}
