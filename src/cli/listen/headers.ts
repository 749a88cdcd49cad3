/** Headers of one connection, which are never forwarded (RFC 9110, section 7.6.1), and `Expect`, which is already answered. */
const HOP_BY_HOP = [
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/**
 * The headers to forward, in their order and case, including duplicates.
 *
 * @param rawHeaders names and values in turn
 */
export function endToEnd(rawHeaders: readonly string[]): [name: string, value: string][] {
  const all = pairsOf(rawHeaders);
  const listed = all
    .filter(([name]) => name.toLowerCase() === "connection")
    .flatMap(([, value]) => value.toLowerCase().split(","))
    .map((name) => name.trim());
  const dropped = new Set([...HOP_BY_HOP, ...listed]);
  return all.filter(([name]) => !dropped.has(name.toLowerCase()));
}

/** Sets one header: replaces the first with this name and removes the others, or appends it. */
export function withHeader(headers: readonly [string, string][], name: string, value: string): [string, string][] {
  const hasName = ([other]: [string, string]) => other.toLowerCase() === name.toLowerCase();
  const index = headers.findIndex(hasName);
  if (index < 0) return [...headers, [name, value]];
  const [originalName] = headers[index] as [string, string];
  return [
    ...headers.slice(0, index),
    [originalName, value],
    ...headers.slice(index + 1).filter((header) => !hasName(header)),
  ];
}

function pairsOf(rawHeaders: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2)
    pairs.push([rawHeaders[index] as string, rawHeaders[index + 1] as string]);
  return pairs;
}
