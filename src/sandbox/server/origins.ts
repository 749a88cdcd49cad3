import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/** Whether a host name means this machine for every resolver (RFC 6761, section 6.3). */
export function isLoopback(hostname: string): boolean {
  const name = bare(hostname).toLowerCase();
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

/**
 * Whether the `Host` header names this server. With DNS rebinding, a foreign page makes its own name resolve to 127.0.0.1; its name is
 * then in `Host`. An IP address cannot be rebound.
 *
 * @param host the address that the server listens on
 */
export function isOwnHost(request: IncomingMessage, host: string, port: number): boolean {
  const named = request.headers.host;
  return named !== undefined && isOwn(named, host, port);
}

/**
 * Whether the `Host` header names this machine or one of the given names, on any port. A tunnel keeps its own name in `Host`.
 *
 * @param host the address that the server listens on; if it is not loopback, a request may name any IP address
 * @param names more names, each with or without a port
 */
export function isAllowedHost(request: IncomingMessage, host: string, names: readonly string[]): boolean {
  const { hostname } = parts(request.headers.host ?? "");
  if (isLoopback(hostname) || (!isLoopback(host) && isIP(hostname) !== 0)) return true;
  return hostname !== "" && [bare(host).toLowerCase(), ...names.map((name) => parts(name).hostname)].includes(hostname);
}

/**
 * Whether a request that changes something comes from the server's own page or from no page at all, which prevents CSRF. Browsers send
 * the page's origin with every such request.
 *
 * @param request its `Host` must have been checked: the origin is compared with it
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
  // The server was opened to other machines on purpose, perhaps behind a mapped port.
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
