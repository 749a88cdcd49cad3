import type { Detection } from "../detect.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";
import type { DeliveryResult } from "./print-delivery.ts";
import { captureOf } from "./save-capture.ts";

/**
 * Returns a function that searches for the scheme of the first delivery that is rejected for its signature, and prints the result.
 * Later deliveries are ignored.
 */
export function schemeDetector(secrets: readonly string[], output: Output): (result: DeliveryResult) => Promise<void> {
  let hasResult = false;
  return async function detectFirst({ request, checked: { outcome } }) {
    const isRejected = outcome.kind === "rejected" && outcome.error.code.startsWith("signature_");
    const capture = captureOf(request);
    if (hasResult || !isRejected || capture === undefined) return;
    // Imported on demand: usually every delivery is genuine.
    const { detectScheme } = await import("../detect.ts");
    const detection = detectScheme([{ name: "the delivery", capture }], secrets);
    // Nothing in the headers could be a signature, which the diagnosis has already said.
    if (hasResult || detection.combinations === 0) return;
    hasResult = true;
    if (output.json) output.record({ kind: "detection", ...detection });
    else for (const line of linesOf(detection)) output.line(`${" ".repeat(10)}${printable(line, 1_000)}`);
  };
}

function linesOf({ verdict, findings, reasons, combinations }: Detection): string[] {
  const [finding] = findings;
  if (verdict === "several") return ["more than one scheme matches it; save a few deliveries, and run detect on them"];
  if (verdict === "none" || finding === undefined) return [`none of ${combinations} schemes matches it`, ...reasons];
  const code = finding.preset ? [`  scheme: ${finding.scheme},`] : (finding.code ?? "").trimEnd().split("\n");
  return ["it is signed in another way; give createReceiver this scheme:", ...code, ...finding.warnings];
}
