import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { CommandFailed, EXIT } from "./exit.ts";

/**
 * Opens a server's port.
 *
 * @returns the port, which for 0 is the one that was free
 * @throws CommandFailed where it cannot be opened
 */
export async function open(server: Server, port: number, host: string): Promise<number> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    throw portFailure(cause as NodeJS.ErrnoException, port, host);
  }
  return (server.address() as AddressInfo).port;
}

/** Closes the port and every connection, and waits for it. */
export async function shut(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

/** Says why a port cannot be opened, and what to give instead. */
export function portFailure(cause: NodeJS.ErrnoException, port: number, host: string): CommandFailed {
  const { code = "unknown" } = cause;
  const remedy =
    {
      EADDRINUSE: "it is in use; name another with --port, or --port 0 for a free one",
      EACCES: "it needs more rights; name one above 1023 with --port",
      EADDRNOTAVAIL: "this machine has no such address; name another with --host",
      ENOTFOUND: "there is no such host; name an address of this machine with --host",
    }[code] ?? code;
  return new CommandFailed(`cannot listen on port ${port} of ${host}: ${remedy}.`, EXIT.usage, { code, cause });
}
