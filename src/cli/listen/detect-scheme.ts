import type { Detection } from "../detect.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";
import type { Told } from "./print-delivery.ts";
import { captureOf } from "./save-capture.ts";

/**
 * Looks once, at the first delivery that is refused for its signature, for the scheme by which it is signed; says so where exactly
 * one matches, and where none does.
 */
export function detection(secrets: readonly string[], output: Output): (told: Told) => Promise<void> {
  let looked = false;
  return async function detectFirst({ arrival, judgement: { outcome } }) {
    const refused = outcome.kind === "rejected" && outcome.error.code.startsWith("signature_");
    const capture = captureOf(arrival);
    if (looked || !refused || capture === undefined) return;
    // Loaded when it is needed: most often all deliveries are genuine.
    const { detectScheme } = await import("../detect.ts");
    const found = detectScheme([{ name: "the delivery", capture }], secrets);
    // Where nothing could be a signature there was nothing to look at, as has been said.
    if (looked || found.combinations === 0) return;
    looked = true;
    if (output.json) output.record({ kind: "detection", ...found });
    else for (const line of wordsOf(found)) output.line(`${" ".repeat(10)}${printable(line, 1_000)}`);
  };
}

/** The lines under the delivery. */
function wordsOf({ verdict, findings, reasons, combinations }: Detection): string[] {
  const [found] = findings;
  if (verdict === "several") return ["more than one scheme matches it; save a few deliveries, and run detect on them"];
  if (verdict === "none" || found === undefined) return [`none of ${combinations} schemes matches it`, ...reasons];
  const code = found.preset ? [`  scheme: ${found.scheme},`] : (found.code ?? "").trimEnd().split("\n");
  return ["it is signed in another way, which createReceiver is to be given:", ...code, ...found.warnings];
}
