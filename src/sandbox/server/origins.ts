import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/** Whether a host's name means this machine to every resolver (RFC 6761, section 6.3). */
export function isLoopback(hostname: string): boolean {
  const name = bare(hostname).toLowerCase();
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

/**
 * Whether a request was meant for this server. A page elsewhere whose name was made to resolve to 127.0.0.1 (DNS rebinding) names
 * itself in `Host`; an address cannot be rebound.
 *
 * @param host what the server listens on
 */
export function isOwnHost(request: IncomingMessage, host: string, port: number): boolean {
  const named = request.headers.host;
  return named !== undefined && isOwn(named, host, port);
}

/**
 * Whether a request was sent to this machine or to one of the names that were given, whatever the port: a tunnel keeps its own
 * name in `Host`.
 *
 * @param host what the server listens on; where that is not loopback, a request may name any address
 * @param names further names, each with or without a port
 */
export function isAllowedHost(request: IncomingMessage, host: string, names: readonly string[]): boolean {
  const { hostname } = parts(request.headers.host ?? "");
  if (isLoopback(hostname) || (!isLoopback(host) && isIP(hostname) !== 0)) return true;
  return hostname !== "" && [bare(host).toLowerCase(), ...names.map((name) => parts(name).hostname)].includes(hostname);
}

/**
 * Whether a request that changes something comes from the server's own page, or from no page at all (CSRF). Browsers name the
 * page's origin in every such request.
 *
 * @param request its `Host` checked already: an origin is the server's own only where it is that which the request was sent to
 */
export function isOwnOrigin({ headers }: IncomingMessage): boolean {
  const { origin, host, "sec-fetch-site": site } = headers;
  if (origin === undefined) return site === undefined || site === "same-origin";
  return origin.toLowerCase() === `http://${host?.toLowerCase()}`;
}

function isOwn(authority: string, host: string, port: number): boolean {
  const { hostname, port: named } = parts(authority);
  if (isLoopback(host))
    return named === port && ["127.0.0.1", "localhost", "::1", bare(host).toLowerCase()].includes(hostname);
  // Opened to others on purpose, perhaps behind a mapped port.
  return isIP(hostname) !== 0 || hostname === "localhost" || hostname === bare(host).toLowerCase();
}

function parts(authority: string): { readonly hostname: string; readonly port: number } {
  const { hostname = "", port = "80" } =
    /^(?<hostname>\[[\da-f:.]+\]|[^:[\]/]+)(?::(?<port>\d{1,5}))?$/i.exec(authority)?.groups ?? {};
  return { hostname: bare(hostname).toLowerCase(), port: Number(port) };
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
