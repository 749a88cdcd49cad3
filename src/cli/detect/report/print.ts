import type { Detection, Finding } from "../../detect.ts";
import type { Output } from "../../output.ts";

/** Prints a detection for people. */
export function printDetection(detection: Detection, output: Output): void {
  printEffort(detection, output);
  output.line("");
  output.line(headline(detection, output));
  for (const reason of detection.reasons) output.line(`  ${reason}`);
  for (const [index, finding] of detection.findings.entries()) {
    output.line("");
    if (detection.findings.length > 1) output.line(output.colors.bold(`${index + 1}.`));
    printFinding(finding, output);
  }
  if (detection.decides.length > 0) output.line("");
  for (const line of detection.decides) output.line(`To decide: ${line}`);
  printEventId(detection, output);
}

function printEffort({ combinations, macs, captures, untried }: Detection, output: Output): void {
  const tried = `${counted(combinations, "combination")} (${counted(macs, "signature")} computed)`;
  output.line(`Tried ${tried} on ${counted(captures, "capture")}.`);
  if (untried === 0) return;
  output.line(
    `To limit the work, ${counted(untried, "less likely content")} left out; with a smaller capture, all are tried.`,
  );
}

function headline({ verdict, findings, captures }: Detection, { colors }: Output): string {
  const { bold, green, red, yellow } = colors;
  if (verdict === "none") return red(bold("Nothing matches. No scheme is printed, since it would be a guess."));
  if (verdict === "several") return yellow(bold(`${findings.length} schemes match ${counted(captures, "capture")}.`));
  return green(bold(`Found: one scheme matches ${captures === 1 ? "it" : "all of them"}.`));
}

function printFinding(finding: Finding, output: Output): void {
  const { dim, yellow } = output.colors;
  output.line(`  header     ${finding.header}`);
  output.line(`  signature  ${finding.signature}`);
  output.line(`  signed     ${finding.signed}`);
  output.line(`  key        ${finding.key}`);
  for (const warning of finding.warnings) output.line(yellow(`  warning    ${warning}`));
  for (const detail of finding.undecided) output.line(yellow(`  undecided  ${detail}`));
  if (finding.code === undefined) return;
  output.line("");
  output.line(dim(introduction(finding)));
  output.line("");
  for (const line of finding.code.trimEnd().split("\n")) output.line(line === "" ? "" : `  ${line}`);
}

function introduction({ preset, scheme }: Finding): string {
  if (!preset) return "None of the package's own schemes matches. Paste this scheme:";
  return scheme === "bluumSignature()"
    ? "This is the default; the scheme line may be left out:"
    : "Paste the scheme line:";
}

function printEventId({ eventId }: Detection, output: Output): void {
  output.line("");
  output.line(output.colors.bold("Event id"));
  for (const sentence of eventId.says) output.line(`  ${sentence}`);
  if (eventId.option !== undefined) output.line(`\n  ${eventId.option}`);
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}
