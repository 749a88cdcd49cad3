import type { Explained } from "./finding.ts";

/** What several findings differ in, and which capture would decide. */
export function whatWouldDecide(explained: readonly Explained[]): string[] {
  if (explained.length < 2) return [];
  const says: string[] = [];
  const headers = distinct(explained.map(({ finding }) => finding.header));
  const algorithms = distinct(explained.map(({ hypothesis }) => hypothesis.algorithm));
  if (headers.length > 1) {
    says.push(
      `${headers.join(" and ")} each carry a valid signature, in every capture. No capture of both decides: look in the provider's documentation which will stay, or take the first.`,
    );
  }
  if (headers.length === 1 && algorithms.length > 1) {
    says.push(
      `${headers[0]} carries a signature by each of ${algorithms.join(", ")}. All are true; take the first, which is the strongest.`,
    );
  }
  for (const header of headers) {
    const signed = distinct(
      explained.filter(({ finding }) => finding.header === header).map(({ finding }) => finding.signed),
    );
    if (signed.length > 1)
      says.push(
        `For ${header}, these were the same bytes: ${signed.join("; ")}. A capture in which they differ would decide.`,
      );
  }
  return says.length > 0 ? says : ["They differ only in how they are written; further captures will leave fewer."];
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
