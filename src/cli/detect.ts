/** Finds out how captured deliveries are signed. */
import { type CapturedDelivery, decodeCapture, type NamedCapture } from "./capture.ts";
import { type EventIdReport, reportEventId, type SignedIds } from "./detect/report/event-id.ts";
import { groupByEvent, parsedDeliveries } from "./detect/report/events.ts";
import { type Evidence, type Explained, explain, type Finding, whatWouldDecide } from "./detect/report/finding.ts";
import { reasonsForNoMatch } from "./detect/report/no-match.ts";
import { chooseSimplest } from "./detect/search/choose.ts";
import { readSource } from "./detect/search/header-values.ts";
import { type Hypothesis, hypothesesOf, hypothesisTester, type TestedHypothesis } from "./detect/search/hypothesis.ts";
import { keysOf } from "./detect/search/keys.ts";
import { type Effort, MAX_HASHED_BYTES, newEffort } from "./detect/search/mac.ts";
import { type SearchOptions, search } from "./detect/search/search.ts";
import { sourceIn } from "./detect/search/signed-content.ts";

export type { EventIdReport } from "./detect/report/event-id.ts";
export type { Finding } from "./detect/report/finding.ts";

/** Options of {@link detectScheme}. */
export interface DetectOptions {
  /** The URLs with which the endpoint is registered: some providers sign the URL, and a proxy hides it. @default [] */
  readonly urls?: readonly string[];
}

/** The result of a detection. It contains neither a secret nor a signature. */
export interface Detection {
  readonly verdict: "one" | "several" | "none";
  /** The schemes that match every capture, the likeliest first; several if they are equally simple. */
  readonly findings: readonly Finding[];
  /** The number of captures. */
  readonly captures: number;
  /** The number of combinations of place, algorithm, encoding, key and signed content that were compared. */
  readonly combinations: number;
  /** The number of MACs that were computed. */
  readonly macs: number;
  /** The number of signed contents that were not tried because the bodies are too large to try all. */
  readonly untried: number;
  /** With the verdict `none`: the probable reasons, the surest first. */
  readonly reasons: readonly string[];
  /** With the verdict `several`: the differences, and the captures that would decide. */
  readonly decides: readonly string[];
  readonly eventId: EventIdReport;
}

/** The most deliveries that are searched for a signature; the others only test the hypotheses. */
const MAX_SEARCHED = 4;

/**
 * Finds every combination of header, algorithm, encoding, prefix, secret decoding and signed content that matches all captures.
 * Every finding has been computed and compared, never guessed. The work is limited by `MAX_HASHED_BYTES` and synchronous: about a
 * second at most, and milliseconds for deliveries of a few KiB.
 *
 * @param secrets each capture must be signed with one of them, all in the same way
 */
export function detectScheme(
  captures: readonly NamedCapture[],
  secrets: readonly string[],
  { urls = [] }: DetectOptions = {},
): Detection {
  const effort = newEffort();
  const deliveries = captures.map(decodeCapture);
  const parsed = parsedDeliveries(deliveries);
  const keys = keysOf(secrets);
  const { candidates, untried } = findCandidates(deliveries, secrets, { keys, urls }, effort);
  const explained = explainMatches(candidates, deliveries, {
    events: groupByEvent(parsed),
    secrets,
    effort,
  });
  const verdict = explained.length === 0 ? "none" : explained.length === 1 ? "one" : "several";
  const reasons = verdict === "none" ? reasonsForNoMatch({ deliveries, candidates, secrets, keys, urls, effort }) : [];
  return {
    verdict,
    findings: explained.map(({ finding }) => finding),
    captures: deliveries.length,
    untried,
    reasons,
    decides: whatWouldDecide(explained),
    eventId: reportEventId(parsed, signedIds(explained[0])),
    combinations: effort.combinations,
    macs: effort.macs,
  };
}

interface Candidates {
  readonly candidates: readonly TestedHypothesis[];
  readonly untried: number;
}

/** The hypotheses that explain one delivery, tested on all. Deliveries with small bodies are searched first. */
function findCandidates(
  deliveries: readonly CapturedDelivery[],
  secrets: readonly string[],
  options: Pick<SearchOptions, "keys" | "urls">,
  effort: Effort,
): Candidates {
  const test = hypothesisTester(deliveries, secrets, effort);
  const bySize = [...deliveries].sort((a, b) => a.body.byteLength - b.body.byteLength);
  let firstUntried = 0;
  for (const delivery of bySize.slice(0, MAX_SEARCHED)) {
    const hashedBytes = MAX_HASHED_BYTES - effort.hashedBytes;
    if (hashedBytes <= 0) break;
    const limits = { hashedBytes, contents: Number.POSITIVE_INFINITY };
    const { matches, untried } = search(delivery, { ...options, ...limits }, effort);
    firstUntried ||= untried;
    if (matches.length === 0) continue;
    const hypotheses = matches.flatMap((match) => hypothesesOf(match, delivery));
    return { candidates: distinctHypotheses(hypotheses).map(test), untried };
  }
  return { candidates: [], untried: firstUntried };
}

function distinctHypotheses(hypotheses: readonly Hypothesis[]): Hypothesis[] {
  const distinct = new Map<string, Hypothesis>();
  for (const one of hypotheses) {
    const key = JSON.stringify({ ...one, end: 0 });
    if (!distinct.has(key)) distinct.set(key, one);
  }
  return [...distinct.values()];
}

/** Explains the simplest hypotheses that match every delivery. Of findings that say the same, the first stays. */
function explainMatches(
  candidates: readonly TestedHypothesis[],
  [first, ...others]: readonly CapturedDelivery[],
  evidence: Omit<Evidence, "deliveries">,
): Explained[] {
  if (first === undefined) return [];
  const matching = candidates.filter(({ secretIndexes }) => !secretIndexes.includes(undefined));
  const explained = chooseSimplest(matching).map((choice) =>
    explain(choice, { ...evidence, deliveries: [first, ...others] }),
  );
  return explained.filter(
    ({ finding }, index) => explained.findIndex((other) => isSameFinding(other.finding, finding)) === index,
  );
}

function isSameFinding(a: Finding, b: Finding): boolean {
  return a.code === b.code && (a.code !== undefined || a.signed === b.signed);
}

/** The id that the scheme passes to the receiver, and the headers that it signs. */
function signedIds(explained: Explained | undefined): SignedIds {
  if (explained === undefined) return { idOf: undefined, signedHeaders: undefined };
  const { content } = explained.hypothesis;
  const source = explained.finding.handsOnId ? sourceIn(content, "id") : undefined;
  return {
    idOf: source && (({ delivery }) => readSource(source, delivery)),
    signedHeaders: content.flatMap((part) => ("source" in part ? [part.source.header] : [])),
  };
}
