import { refused } from "./errors.ts";

/**
 * Checks an address to which credentials or signed deliveries are sent: `https:`, or `http:` on this machine (`localhost`, 127.0.0.0/8,
 * `::1`), without user, password or fragment.
 *
 * @throws BluumApiError `configuration_invalid`; the message does not contain the address, which may hold a secret
 */
export function checkAddress(owner: string, option: string, address: unknown): URL {
  const text = address instanceof URL ? address.href : address;
  if (typeof text !== "string" || !URL.canParse(text)) throw refused(owner, option, "must be a complete URL");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") throw refused(owner, option, "must not contain a user or password");
  if (url.hash !== "") throw refused(owner, option, "must not have a fragment (#…)");
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url))) return url;
  throw refused(owner, option, "must begin with https://; http:// is for localhost, 127.0.0.0/8 and [::1] only");
}

/** Whether a URL's host is this machine. `URL` has normalised the address. */
function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
