import type { Detection, Finding } from "../../detect.ts";
import type { Output } from "../../output.ts";

/** Prints a detection for people. */
export function printDetection(detection: Detection, output: Output): void {
  printEffort(detection, output);
  output.line("");
  printVerdict(detection, output);
  for (const reason of detection.reasons) output.prose(reason, 2);
  for (const [index, finding] of detection.findings.entries()) {
    output.line("");
    if (detection.findings.length > 1) output.line(output.colors.bold(`${index + 1}.`));
    printFinding(finding, output);
  }
  if (detection.decides.length > 0) output.line("");
  for (const line of detection.decides) output.prose(`To decide: ${line}`);
  printEventId(detection, output);
}

function printEffort({ combinations, macs, captures, untried }: Detection, output: Output): void {
  const tried = `${counted(combinations, "combination")} (${counted(macs, "signature")} computed)`;
  output.prose(`Tried ${tried} on ${counted(captures, "capture")}.`);
  if (untried === 0) return;
  output.prose(
    `To limit the work, ${counted(untried, "less likely content")} left out; with a smaller capture, all are tried.`,
  );
}

function printVerdict({ verdict, findings, captures }: Detection, output: Output): void {
  const { bold, ...colors } = output.colors;
  const color = colors[({ none: "red", several: "yellow", one: "green" } as const)[verdict]];
  const texts = {
    none: "Nothing matches. No scheme is printed, since it would be a guess.",
    several: `${findings.length} schemes match ${counted(captures, "capture")}.`,
    one: `Found: one scheme matches ${captures === 1 ? "it" : "all of them"}.`,
  };
  output.prose(texts[verdict], 0, (line) => color(bold(line)));
}

function printFinding(finding: Finding, output: Output): void {
  const { dim, yellow } = output.colors;
  output.line(`  header     ${finding.header}`);
  output.line(`  signature  ${finding.signature}`);
  output.line(`  signed     ${finding.signed}`);
  output.line(`  key        ${finding.key}`);
  for (const warning of finding.warnings) output.prose(`warning    ${warning}`, 2, yellow);
  for (const detail of finding.undecided) output.prose(`undecided  ${detail}`, 2, yellow);
  if (finding.code === undefined) return;
  output.line("");
  output.prose(introduction(finding), 0, dim);
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
  for (const sentence of eventId.says) output.prose(sentence, 2);
  if (eventId.option !== undefined) output.line(`\n  ${eventId.option}`);
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}
