import { type CapturedDelivery, headerName } from "../../capture.ts";
import { customProgram, signedUrl } from "../codegen/custom-scheme.ts";
import { type Preset, presetFor, presetProgram } from "../codegen/preset-scheme.ts";
import type { Choice } from "../search/choose.ts";
import { readSource } from "../search/header-values.ts";
import { type Hypothesis, isFixed } from "../search/hypothesis.ts";
import { keyBytes, type SecretMistake } from "../search/keys.ts";
import type { Effort } from "../search/mac.ts";
import { type Content, sourceIn } from "../search/signed-content.ts";
import { type Description, describe } from "./describe.ts";
import type { ParsedDelivery } from "./events.ts";
import { isSignedEventId } from "./id-fields.ts";

/** One way in which all captures may be signed. */
export interface Finding extends Description {
  /** The `scheme:` value for `createReceiver`: a call of one of the package's own schemes, or the constant in `code`. */
  readonly scheme: string;
  /** Whether it is one of the package's own schemes; otherwise `code` holds a scheme in full. */
  readonly preset: boolean;
  /** A program to paste; undefined if no scheme can verify such deliveries, which `warnings` then explain. */
  readonly code: string | undefined;
  /** For each capture, the index of the secret that signed it. */
  readonly secretIndexes: readonly number[];
  /** Problems of the secret, the algorithm or the URL. */
  readonly warnings: readonly string[];
  /** The details that the captures do not decide. */
  readonly undecided: readonly string[];
  /** Whether the scheme passes the signed id to the receiver as the event's id. */
  readonly handsOnId: boolean;
}

/** The captures, and how to compare a finding with them. */
export interface Evidence {
  readonly deliveries: readonly [CapturedDelivery, ...CapturedDelivery[]];
  readonly events: readonly (readonly ParsedDelivery[])[];
  readonly secrets: readonly string[];
  readonly effort: Effort;
}

/** A finding, and its hypothesis. */
export interface Explained {
  readonly finding: Finding;
  readonly hypothesis: Hypothesis;
}

/** Turns a chosen hypothesis into a finding: its description, a program, and remarks. */
export function explain({ chosen: { hypothesis, secretIndexes }, others }: Choice, evidence: Evidence): Explained {
  const { deliveries, secrets, effort } = evidence;
  const used = [...new Set(secretIndexes)].flatMap((index) => secrets[index ?? -1] ?? []);
  const preset = presetFor(hypothesis, deliveries, used, effort);
  const description = describe(hypothesis, deliveries[0]);
  const handsOnId = preset ? preset.import === "standardWebhooksSignature" : signsEventId(hypothesis, evidence);
  const code = preset ? presetProgram(preset) : customCode(hypothesis, description, handsOnId, evidence);
  return {
    hypothesis,
    finding: {
      ...description,
      scheme: preset?.call ?? (code === undefined ? "" : "scheme"),
      preset: preset !== undefined,
      code,
      secretIndexes: secretIndexes.map((index) => index ?? -1),
      warnings: [...secretWarnings(hypothesis, used), ...urlWarnings(hypothesis.content, deliveries)],
      undecided: undecidedDetails(hypothesis, others, preset, deliveries[0]),
      handsOnId,
    },
  };
}

function customCode(
  hypothesis: Hypothesis,
  { header, signature, signed }: Description,
  isEventId: boolean,
  { deliveries }: Evidence,
): string | undefined {
  return customProgram(hypothesis, deliveries, { description: `${header}: ${signature}, of ${signed}`, isEventId });
}

function signsEventId({ content }: Hypothesis, { events }: Evidence): boolean {
  const source = sourceIn(content, "id");
  return source !== undefined && isSignedEventId(source.header, events, ({ delivery }) => readSource(source, delivery));
}

const MISTAKES: Readonly<Record<SecretMistake, string>> = {
  whitespace: "The secret has white space around it that is not part of it; store it without.",
  quotes: "The secret has quotes around it that are not part of it; store it without.",
};

const SHORT_KEY =
  "The key has fewer than 16 bytes and can be guessed: a receiver refuses it. Ask the provider for a longer secret.";

function secretWarnings({ decoding, algorithm }: Hypothesis, used: readonly string[]): string[] {
  const isShort = used.some((secret) => (keyBytes(decoding, secret)?.byteLength ?? 0) < 16);
  return [
    ...decoding.mistakes.map((mistake) => MISTAKES[mistake]),
    ...(isShort ? [SHORT_KEY] : []),
    ...(algorithm === "sha1" ? ["HMAC-SHA1 is weak; use another signature if the provider offers one."] : []),
  ];
}

function urlWarnings(content: Content, deliveries: readonly CapturedDelivery[]): string[] {
  if (!content.some(({ kind }) => kind === "url")) return [];
  return signedUrl(content, deliveries) === undefined
    ? [
        "The URL is signed and differs between the captures. A receiver does not see the URL, so no scheme can verify this.",
      ]
    : ["The URL is signed. The code contains the captured one; it must be the URL that the provider calls."];
}

/** The details in which less likely hypotheses differ from the chosen one, although they match as well. */
function undecidedDetails(
  hypothesis: Hypothesis,
  others: readonly Hypothesis[],
  preset: Preset | undefined,
  delivery: CapturedDelivery,
): string[] {
  const details: string[] = [];
  if (!isFixed(hypothesis.locator))
    details.push("The text around the signature seems to differ in each delivery. One more capture will show it.");
  const { encoding } = hypothesis;
  if (preset?.import !== "standardWebhooksSignature" && others.some((other) => other.encoding !== encoding)) {
    const other = encoding === "base64" ? "base64url" : "base64";
    details.push(
      `${encoding} or ${other}: no captured signature has a character in which they differ. ${encoding} is likelier, by its padding; if later deliveries are refused as malformed it is ${other}. One more capture will probably decide.`,
    );
  }
  const headers = others.flatMap(sourceHeaders).filter((header) => !sourceHeaders(hypothesis).includes(header));
  if (preset === undefined && headers.length > 0) {
    const names = [...new Set(headers)].map((header) => headerName(header, delivery));
    details.push(`The same text is in ${names.join(", ")} as well. A capture in which they differ would decide.`);
  }
  return details;
}

function sourceHeaders({ content }: Hypothesis): string[] {
  return content.flatMap((part) => ("source" in part ? [part.source.header] : []));
}

/** The differences between several findings, and the captures that would decide between them. */
export function whatWouldDecide(explained: readonly Explained[]): string[] {
  if (explained.length < 2) return [];
  const headers = distinct(explained.map(({ finding }) => finding.header));
  const algorithms = distinct(explained.map(({ hypothesis }) => hypothesis.algorithm));
  const answers = [...differingSignatures(headers, algorithms), ...headers.flatMap((one) => sameBytes(one, explained))];
  return answers.length > 0
    ? answers
    : ["They differ only in how they are encoded; further captures will rule some of them out."];
}

function differingSignatures(headers: readonly string[], algorithms: readonly string[]): string[] {
  if (headers.length > 1)
    return [
      `${headers.join(" and ")} each carry a valid signature in every capture. Further captures cannot decide: look up in the provider's documentation which one will stay, or use the first.`,
    ];
  if (algorithms.length < 2) return [];
  return [
    `${headers[0]} carries a signature by each of ${algorithms.join(", ")}. All are valid; use the first, which is the strongest.`,
  ];
}

function sameBytes(header: string, explained: readonly Explained[]): string[] {
  const contents = distinct(
    explained.filter(({ finding }) => finding.header === header).map(({ finding }) => finding.signed),
  );
  if (contents.length < 2) return [];
  return [
    `For ${header}, these are the same bytes: ${contents.join("; ")}. A capture in which they differ would decide.`,
  ];
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
