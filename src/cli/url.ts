import { isLoopback } from "../sandbox/server/origins.ts";
import { CommandFailed, EXIT } from "./exit.ts";

/**
 * Returns a parser for an option or argument that is a URL.
 *
 * @param name the name of the option or argument, such as `--to`
 * @returns throws CommandFailed `usage`; the message does not contain the URL, which may contain a password or a key
 */
export function urlParser(name: string): (text: string) => URL {
  return (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      throw refused(name, "must be a whole URL that begins with http:// or https://");
    }
    if (url.username || url.password) throw refused(name, "must hold no user and no password");
    return url;
  };
}

/** The same for a URL that receives secrets or Bluum's events: it must be https, except on this machine. */
export function secureUrlParser(name: string): (text: string) => URL {
  const parse = urlParser(name);
  return (text) => {
    const url = parse(text);
    if (url.protocol === "https:" || isLoopback(url.hostname)) return url;
    throw refused(name, "must begin with https://, unless it leads to this machine");
  };
}

/**
 * Refuses a target that is this command itself, which would forward each delivery forever.
 *
 * @param name the name of the option with the target
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
