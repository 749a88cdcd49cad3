import { CommandFailed, EXIT } from "./exit.ts";

/**
 * Parses the URL of an app.
 *
 * @throws CommandFailed `usage`; the message does not contain the URL, which may contain a password
 */
export function targetUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw refused("must be absolute, with http:// or https://");
  if (url.username || url.password) throw refused("must not contain a password");
  return url;
}

/**
 * Refuses a target that is this command itself, which would forward each delivery forever.
 *
 * @throws CommandFailed `usage`
 */
export function refuseLoop(target: URL | undefined, port: number, host: string): void {
  if (target === undefined || Number(target.port || (target.protocol === "https:" ? 443 : 80)) !== port) return;
  if (![host, "localhost", "127.0.0.1", "[::1]"].includes(target.hostname)) return;
  throw refused("is that of this command itself; use the port of your app");
}

function refused(problem: string): CommandFailed {
  return new CommandFailed(`the URL ${problem}.`, EXIT.usage);
}
