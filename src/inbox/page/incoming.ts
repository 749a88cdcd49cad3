/** A request to the page, in Node's form or as a fetch request. */
export interface Incoming {
  readonly method: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

/** A fetch request. */
export function fromFetch(request: Request): Incoming {
  const { searchParams, host } = new URL(request.url);
  return {
    method: request.method,
    query: searchParams,
    header: (name) => request.headers.get(name) ?? (name === "host" ? host : undefined),
    body: request.body ?? nothing(),
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/**
 * Whether a call comes from the page itself. Browsers say so with `Sec-Fetch-Site`, which no page can set, over HTTPS and on this
 * machine; else the page's origin must be the server that was asked. The scheme is not compared: a proxy may end the TLS connection.
 */
export function isOwnCall({ method, header }: Incoming): boolean {
  const site = header("sec-fetch-site");
  if (site !== undefined) return site === "same-origin" || (isReading(method) && site === "none");
  const origin = header("origin");
  if (origin === undefined) return isReading(method);
  const host = header("host")?.toLowerCase();
  return host !== undefined && [`http://${host}`, `https://${host}`].includes(origin.toLowerCase());
}

/** Whether a request only reads. */
export function isReading(method: string): boolean {
  return method === "GET" || method === "HEAD";
}
