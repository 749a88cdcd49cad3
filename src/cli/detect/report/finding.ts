import { type Preset, presetFor } from "../codegen/preset.ts";
import { type Program, presetProgram, programOf, signedUrl } from "../codegen/program.ts";
import { sourceIn } from "../search/content.ts";
import type { Captured } from "../search/delivery.ts";
import type { Effort } from "../search/effort.ts";
import type { Hypothesis, Tested } from "../search/hypothesis.ts";
import { keyBy, type SecretMistake } from "../search/key-reading.ts";
import { isFixed } from "../search/locator.ts";
import { textOf } from "../search/source.ts";
import type { ParsedCapture } from "./events.ts";
import { isEventsId } from "./signed-id.ts";
import { headerName, type Wording, wordingOf } from "./wording.ts";

/** One way to say how all captures are signed. */
export interface Finding extends Wording {
  /** The `scheme:` line for `createReceiver`: one of the package's own, or the name of the constant in `code`. */
  readonly scheme: string;
  /** Whether one of the package's own schemes says it; otherwise `code` holds a whole one. */
  readonly preset: boolean;
  /** A program to paste; undefined where no scheme can say it, and `warnings` say why. */
  readonly code: string | undefined;
  /** For each capture, the place of the secret that signed it. */
  readonly secretIndexes: readonly number[];
  /** What is wrong with the secret, or stands in the way. */
  readonly warnings: readonly string[];
  /** What the captures leave open. */
  readonly undecided: readonly string[];
  /** Whether a receiver is given the signed id as the event's. */
  readonly handsOnId: boolean;
}

/** What makes a finding, beside the hypothesis. */
export interface Evidence {
  readonly captures: readonly Captured[];
  readonly events: readonly (readonly ParsedCapture[])[];
  readonly secrets: readonly string[];
  readonly effort: Effort;
}

/** A finding and what it was made of. */
export interface Explained {
  readonly finding: Finding;
  readonly hypothesis: Hypothesis;
  readonly preset: Preset | undefined;
}

/** Says what was found, as words and as code. */
export function explain(
  { hypothesis, secretIndexes }: Tested,
  others: readonly Hypothesis[],
  evidence: Evidence,
): Explained {
  const { captures, secrets, effort } = evidence;
  const first = captures[0] as Captured;
  const used = [...new Set(secretIndexes)].flatMap((index) => secrets[index ?? -1] ?? []);
  const preset = presetFor(hypothesis, captures, used, effort);
  const handsOnId = preset ? preset.import === "standardWebhooksSignature" : idIsEvents(hypothesis, evidence);
  const program: Program = preset ? presetProgram(preset) : programOf(hypothesis, captures, handsOnId);
  return {
    hypothesis,
    preset,
    finding: {
      ...wordingOf(hypothesis, first),
      scheme: program.scheme,
      preset: preset !== undefined,
      code: program.code,
      secretIndexes: secretIndexes.map((index) => index ?? -1),
      warnings: [...secretWarnings(hypothesis, used), ...urlWarnings(hypothesis, captures)],
      undecided: undecided(hypothesis, others, preset, first),
      handsOnId,
    },
  };
}

function idIsEvents(hypothesis: Hypothesis, { events }: Evidence): boolean {
  const source = sourceIn(hypothesis.content, "id");
  return source !== undefined && isEventsId(source.header, events, ({ captured }) => textOf(source, captured));
}

const MISTAKES: Readonly<Record<SecretMistake, string>> = {
  whitespace: "The secret has white space around it that is not part of it; store it without.",
  quotes: "The secret has quotes around it that are not part of it; store it without.",
};

function secretWarnings({ reading, algorithm }: Hypothesis, used: readonly string[]): string[] {
  const isShort = used.some((secret) => (keyBy(reading, secret)?.byteLength ?? 0) < 16);
  return [
    ...reading.mistakes.map((mistake) => MISTAKES[mistake]),
    ...(isShort
      ? [
          "The key has fewer than 16 bytes and can be guessed: a receiver refuses it. Ask the provider for a longer secret.",
        ]
      : []),
    ...(algorithm === "sha1"
      ? ["HMAC-SHA1 is weak by today's measure; take another signature if the provider offers one."]
      : []),
  ];
}

function urlWarnings({ content }: Hypothesis, captures: readonly Captured[]): string[] {
  if (!content.some(({ kind }) => kind === "url")) return [];
  return signedUrl(content, captures) === undefined
    ? [
        "The URL is signed and was not the same in all captures. A receiver does not see the URL, so no scheme can say this.",
      ]
    : ["The URL is signed. The code holds it as it was captured; it must be the one that the provider calls."];
}

/** What other hypotheses that hold as well say otherwise, although they are less likely. */
function undecided(
  hypothesis: Hypothesis,
  others: readonly Hypothesis[],
  preset: Preset | undefined,
  captured: Captured,
): string[] {
  const { encoding } = hypothesis;
  const says: string[] = [];
  if (!isFixed(hypothesis.locator)) {
    says.push(
      "The text around the signature looks as if it changed from delivery to delivery. One more capture will show it.",
    );
  }
  if (preset?.import !== "standardWebhooksSignature" && others.some((other) => other.encoding !== encoding)) {
    const other = encoding === "base64" ? "base64url" : "base64";
    says.push(
      `${encoding} or ${other}: no captured signature has a character in which they differ. ${encoding} is likelier, by its padding; if later deliveries are refused as malformed it is ${other}. One more capture will probably decide.`,
    );
  }
  const headers = others.flatMap(sourcesOf).filter((header) => !sourcesOf(hypothesis).includes(header));
  if (preset === undefined && headers.length > 0) {
    const names = [...new Set(headers)].map((header) => headerName(header, captured));
    says.push(`The same text came in ${names.join(", ")} as well. A capture in which they differ would decide.`);
  }
  return says;
}

function sourcesOf({ content }: Hypothesis): string[] {
  return content.flatMap((part) => ("source" in part ? [part.source.header] : []));
}
