import type { Capture } from "../capture.ts";
import type { Output } from "../output.ts";
import type { Told } from "./line.ts";
import { captureOf } from "./save.ts";

/** Finds out how captured deliveries are signed; what of it is used here. */
export type Detect = (
  captures: readonly { readonly name: string; readonly capture: Capture }[],
  secrets: readonly string[],
) => {
  readonly verdict: "one" | "several" | "none";
  readonly findings: readonly {
    /** What stands after `scheme:`. */
    readonly scheme: string;
    /** Whether that is one of the package's own; otherwise `code` holds it. */
    readonly preset: boolean;
    readonly code: string | undefined;
    readonly warnings: readonly string[];
  }[];
  readonly combinations: number;
};

/**
 * Looks once, at the first delivery that is refused for its signature, for the scheme by which it is signed; says so where exactly
 * one matches, and where none does.
 *
 * @param load loads what detects, when it is needed
 */
export function detection(
  load: () => Promise<Detect>,
  secrets: readonly string[],
  output: Output,
): (told: Told) => Promise<void> {
  let looked = false;
  return async function detectFirst({ arrival, judgement: { outcome } }) {
    const refused = outcome.kind === "rejected" && outcome.error.code.startsWith("signature_");
    const capture = captureOf(arrival);
    if (looked || !refused || capture === undefined) return;
    looked = true;
    const detect = await load();
    tellDetection(detect([{ name: "the delivery", capture }], secrets), output);
  };
}

function tellDetection({ verdict, findings, combinations }: ReturnType<Detect>, output: Output): void {
  const found = verdict === "one" ? findings[0] : undefined;
  if (output.json) {
    output.record({ kind: "detection", verdict, combinations, ...found });
    return;
  }
  const indented = (text: string) => output.line(text.replace(/^(?=.)/gm, " ".repeat(10)));
  if (found !== undefined) {
    indented("it is signed in this way, which createReceiver is to be given:");
    indented(found.preset ? `  scheme: ${found.scheme},` : (found.code ?? ""));
    for (const warning of found.warnings) indented(warning);
  } else if (verdict === "several") {
    indented("more than one scheme matches it; save a few deliveries, and run detect on them");
  } else {
    indented(`none of ${combinations} combinations matches it: probably it was signed with another secret`);
  }
}
