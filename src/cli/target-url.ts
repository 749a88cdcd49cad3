import { CommandFailed, EXIT } from "./exit.ts";

/**
 * Reads the URL of an app for an option.
 *
 * @throws CommandFailed `usage`, which does not repeat the URL: it may hold a password
 */
export function targetUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw refused("must be whole, http:// or https://");
  if (url.username || url.password) throw refused("must not hold a password");
  return url;
}

/**
 * Refuses to hand deliveries on to oneself, for ever.
 *
 * @throws CommandFailed `usage`
 */
export function refuseLoop(target: URL | undefined, port: number, host: string): void {
  if (target === undefined || Number(target.port || (target.protocol === "https:" ? 443 : 80)) !== port) return;
  if (![host, "localhost", "127.0.0.1", "[::1]"].includes(target.hostname)) return;
  throw refused("leads back to this command; give the port of your app");
}

function refused(problem: string): CommandFailed {
  return new CommandFailed(`the URL ${problem}.`, EXIT.usage);
}
