import type { Captured } from "./delivery.ts";

/** Which part of the URL is signed, and where it is known from. */
export type UrlForm =
  | { readonly from: "request"; readonly part: "path" | "pathname" }
  | { readonly from: "host"; readonly header: "host" | "x-forwarded-host"; readonly protocol: "https" | "http" }
  | { readonly from: "given"; readonly url: string };

/** The forms in which a delivery's URL may be signed, the likeliest first. Without a query, the path is one form. */
export function urlFormsOf(captured: Captured, urls: readonly string[]): UrlForm[] {
  const forms: UrlForm[] = [
    ...urls.map((url) => ({ from: "given", url }) as const),
    ...(["https", "http"] as const).flatMap((protocol) =>
      (["x-forwarded-host", "host"] as const).map((header) => ({ from: "host", header, protocol }) as const),
    ),
    { from: "request", part: "path" },
    { from: "request", part: "pathname" },
  ];
  const known = new Set<string | undefined>([undefined]);
  return forms.filter((form) => {
    const url = urlOf(form, captured);
    return known.has(url) ? false : known.add(url);
  });
}

/** What a form is in a delivery. */
export function urlOf(form: UrlForm, captured: Captured): string | undefined {
  if (form.from === "given") return form.url;
  const path = captured.url.replace(/^https?:\/\/[^/]*/i, "") || "/";
  if (form.from === "request") return form.part === "path" ? path : path.replace(/\?.*$/s, "");
  const host = captured.headers.get(form.header)?.value;
  return host === undefined || host === "" ? undefined : `${form.protocol}://${host}${path}`;
}
