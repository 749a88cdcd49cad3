import type { Detection, Finding } from "../detect.ts";
import type { Output } from "../output.ts";

/** Tells people what was found. */
export function tell(detection: Detection, output: Output): void {
  const { verdict, findings, reasons, decides } = detection;
  const { bold, green, red, yellow } = output.colors;
  const captures = `${detection.captures} ${detection.captures === 1 ? "capture" : "captures"}`;
  output.line(
    `Tried ${count(detection.combinations)} combinations (${count(detection.macs)} signatures computed) on ${captures}.`,
  );
  if (detection.untried > 0) {
    output.line(
      `${count(detection.untried)} less likely contents were left out, as the bodies are large; a smaller capture has them tried.`,
    );
  }
  output.line("");
  if (verdict === "one")
    output.line(green(bold(`Found: one scheme holds for ${detection.captures === 1 ? "it" : "all of them"}.`)));
  if (verdict === "several") output.line(yellow(bold(`${findings.length} schemes hold for ${captures}.`)));
  if (verdict === "none") output.line(red(bold("Nothing matches. No scheme is printed, since it would be a guess.")));
  for (const reason of reasons) output.line(`  ${reason}`);
  for (const [place, finding] of findings.entries()) {
    output.line("");
    if (findings.length > 1) output.line(bold(`${place + 1}.`));
    tellFinding(finding, output);
  }
  if (decides.length > 0) output.line("");
  for (const line of decides) output.line(`What decides: ${line}`);
  tellEventId(detection, output);
}

function tellFinding(finding: Finding, output: Output): void {
  const { dim, yellow } = output.colors;
  output.line(`  header     ${finding.header}`);
  output.line(`  signature  ${finding.signature}`);
  output.line(`  signed     ${finding.signed}`);
  output.line(`  key        ${finding.key}`);
  for (const warning of finding.warnings) output.line(yellow(`  warning    ${warning}`));
  for (const open of finding.undecided) output.line(yellow(`  undecided  ${open}`));
  if (finding.code === undefined) return;
  output.line("");
  output.line(dim(introduction(finding)));
  output.line("");
  for (const line of finding.code.trimEnd().split("\n")) output.line(line === "" ? "" : `  ${line}`);
}

function introduction({ preset, scheme }: Finding): string {
  if (!preset) return "None of the package's own schemes says this. Paste a scheme of your own:";
  return scheme === "bluumSignature()"
    ? "This is the default; the scheme line may be left out:"
    : "Paste the scheme line:";
}

function tellEventId({ eventId }: Detection, output: Output): void {
  output.line("");
  output.line(output.colors.bold("Event id"));
  for (const sentence of eventId.says) output.line(`  ${sentence}`);
  if (eventId.option !== undefined) output.line(`\n  ${eventId.option}`);
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
