import { isLoopback } from "../sandbox/server/origins.ts";
import { CommandFailed, EXIT } from "./exit.ts";

/**
 * Makes the reader of an option or argument that is a URL.
 *
 * @param name how the command line calls it, such as `--to`
 * @returns throws CommandFailed `usage`, which does not repeat the URL: it may hold a password or a key
 */
export function urlReader(name: string): (text: string) => URL {
  return (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      throw refused(name, "must be a whole URL that begins with http:// or https://");
    }
    if (url.username || url.password) throw refused(name, "must hold no user and no password");
    return url;
  };
}

/** The same for a URL that secrets or events of Bluum's go to: outside of this machine it must be https. */
export function safeUrlReader(name: string): (text: string) => URL {
  const read = urlReader(name);
  return (text) => {
    const url = read(text);
    if (url.protocol === "https:" || isLoopback(url.hostname)) return url;
    throw refused(name, "must begin with https://, unless it leads to this machine");
  };
}

/**
 * Refuses to hand deliveries on to oneself, for ever.
 *
 * @throws CommandFailed `usage`
 */
export function refuseLoop(name: string, target: URL | undefined, port: number, host: string): void {
  if (target === undefined || Number(target.port || (target.protocol === "https:" ? 443 : 80)) !== port) return;
  if (![host, "localhost", "127.0.0.1", "[::1]"].includes(target.hostname)) return;
  throw refused(name, "leads back to this command; give the port of your app");
}

function refused(name: string, problem: string): CommandFailed {
  return new CommandFailed(`${name} ${problem}.`, EXIT.usage);
}
