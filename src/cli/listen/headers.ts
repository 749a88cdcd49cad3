/** What concerns one connection only and is never passed on (RFC 9110, section 7.6.1); and `Expect`, which was answered on arrival. */
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
 * The headers that are passed on, in their order and case, each as often as it came.
 *
 * @param rawHeaders names and values in turn
 */
export function endToEnd(rawHeaders: readonly string[]): [name: string, value: string][] {
  const all = pairsOf(rawHeaders);
  const named = all
    .filter(([name]) => name.toLowerCase() === "connection")
    .flatMap(([, value]) => value.toLowerCase().split(","))
    .map((name) => name.trim());
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  return all.filter(([name]) => !dropped.has(name.toLowerCase()));
}

/** Sets one header, in the place of the first of that name, or at the end. */
export function withHeader(headers: readonly [string, string][], name: string, value: string): [string, string][] {
  const is = ([other]: [string, string]) => other.toLowerCase() === name.toLowerCase();
  const place = headers.findIndex(is);
  if (place < 0) return [...headers, [name, value]];
  const [asCame] = headers[place] as [string, string];
  return [...headers.slice(0, place), [asCame, value], ...headers.slice(place + 1).filter((one) => !is(one))];
}

function pairsOf(rawHeaders: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let place = 0; place + 1 < rawHeaders.length; place += 2)
    pairs.push([rawHeaders[place] as string, rawHeaders[place + 1] as string]);
  return pairs;
}
