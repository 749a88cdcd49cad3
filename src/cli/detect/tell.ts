import type { Detection, Finding } from "../detect.ts";
import type { Output } from "../output.ts";

/** Tells people what was found. */
export function tell(detection: Detection, output: Output): void {
  tellEffort(detection, output);
  output.line("");
  tellVerdict(detection, output);
  for (const reason of detection.reasons) output.prose(reason, 2);
  for (const [place, finding] of detection.findings.entries()) {
    output.line("");
    if (detection.findings.length > 1) output.line(output.colors.bold(`${place + 1}.`));
    tellFinding(finding, output);
  }
  if (detection.decides.length > 0) output.line("");
  for (const line of detection.decides) output.prose(`What decides: ${line}`);
  tellEventId(detection, output);
}

function tellEffort({ combinations, macs, captures, untried }: Detection, output: Output): void {
  const tried = `${counted(combinations, "combination")} (${counted(macs, "signature")} computed)`;
  output.prose(`Tried ${tried} on ${counted(captures, "capture")}.`);
  if (untried === 0) return;
  output.prose(
    `${counted(untried, "less likely content")} left out, for the work it would be; a smaller capture has all tried.`,
  );
}

function tellVerdict({ verdict, findings, captures }: Detection, output: Output): void {
  const { bold, ...shades } = output.colors;
  const shade = shades[({ none: "red", several: "yellow", one: "green" } as const)[verdict]];
  const texts = {
    none: "Nothing matches. No scheme is printed, since it would be a guess.",
    several: `${findings.length} schemes hold for ${counted(captures, "capture")}.`,
    one: `Found: one scheme holds for ${captures === 1 ? "it" : "all of them"}.`,
  };
  output.prose(texts[verdict], 0, (line) => shade(bold(line)));
}

function tellFinding(finding: Finding, output: Output): void {
  const { dim, yellow } = output.colors;
  output.line(`  header     ${finding.header}`);
  output.line(`  signature  ${finding.signature}`);
  output.line(`  signed     ${finding.signed}`);
  output.line(`  key        ${finding.key}`);
  for (const warning of finding.warnings) output.prose(`warning    ${warning}`, 2, yellow);
  for (const open of finding.undecided) output.prose(`undecided  ${open}`, 2, yellow);
  if (finding.code === undefined) return;
  output.line("");
  output.prose(introduction(finding), 0, dim);
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
  for (const sentence of eventId.says) output.prose(sentence, 2);
  if (eventId.option !== undefined) output.line(`\n  ${eventId.option}`);
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
}
