import { refused } from "./errors.ts";

/**
 * Checks an address to which credentials or signed deliveries go, and gives it as a URL: `https:`, or `http:` on this machine
 * (`localhost`, 127.0.0.0/8, `::1`), with no user, password or fragment in it.
 *
 * @throws BluumApiError `configuration_invalid`, which does not repeat the address, for what may be in it
 */
export function checkAddress(whose: string, which: string, address: unknown): URL {
  const text = address instanceof URL ? address.href : address;
  if (typeof text !== "string" || !URL.canParse(text)) throw refused(whose, which, "must be a whole URL");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") throw refused(whose, which, "must hold no user and no password");
  if (url.hash !== "") throw refused(whose, which, "must have no fragment (#…)");
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url))) return url;
  throw refused(whose, which, "must begin with https://; http:// is for localhost, 127.0.0.0/8 and [::1] only");
}

/** Whether a URL's host is this machine, by name or by number. A parsed URL has its numbers in one form. */
function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
