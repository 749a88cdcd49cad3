import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { CommandFailed, EXIT } from "./exit.ts";

/**
 * Starts to listen on a port.
 *
 * @param port 0 for any free port
 * @returns the port
 * @throws CommandFailed `usage` if the port cannot be opened
 */
export async function openPort(server: Server, port: number, host: string): Promise<number> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    throw portFailure(cause as NodeJS.ErrnoException, port, host);
  }
  return (server.address() as AddressInfo).port;
}

/** Closes the port and every connection. Resolves when they are closed. */
export async function closePort(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

const REMEDY: Readonly<Record<string, string>> = {
  EADDRINUSE: "it is in use; choose another with --port, or --port 0 for a free one",
  EACCES: "it needs more rights; choose one above 1023 with --port",
  EADDRNOTAVAIL: "this machine has no such address; choose another with --host",
  ENOTFOUND: "there is no such host; give an address of this machine with --host",
};

/** Returns an error that says why a port cannot be opened and what to change. */
export function portFailure(cause: NodeJS.ErrnoException, port: number, host: string): CommandFailed {
  const { code = "unknown" } = cause;
  return new CommandFailed(`cannot listen on port ${port} of ${host}: ${REMEDY[code] ?? code}.`, EXIT.usage, {
    code,
    cause,
  });
}
