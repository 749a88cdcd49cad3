/** Headers of every answer: it may load nothing and be framed by nothing, and its type is not guessed. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

/** The part of a page's Content-Security-Policy that a meta element cannot set: the page's own meta element has the rest. */
export const PAGE_POLICY = "frame-ancestors 'none'";
