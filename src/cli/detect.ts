/** Finds out how captured deliveries are signed. */
import type { Capture } from "./capture.ts";
import { type EventIdReport, eventIdReport } from "./detect/report/event-id.ts";
import { eventsIn, parsedCaptures } from "./detect/report/events.ts";
import { type Explained, explain, type Finding } from "./detect/report/finding.ts";
import { reasons } from "./detect/report/reasons.ts";
import { whatWouldDecide } from "./detect/report/what-would-decide.ts";
import { choose } from "./detect/search/choose.ts";
import { sourceIn } from "./detect/search/content.ts";
import { type Captured, capturedOf } from "./detect/search/delivery.ts";
import { type Effort, MAX_HASHED_BYTES, newEffort } from "./detect/search/effort.ts";
import { type Hypothesis, hypothesesOf, type Tested, tester } from "./detect/search/hypothesis.ts";
import { keysOf, type SearchOptions, search } from "./detect/search/search.ts";
import { textOf } from "./detect/search/source.ts";

export type { EventIdReport } from "./detect/report/event-id.ts";
export type { Finding } from "./detect/report/finding.ts";

/** A capture, and how to call it in what is printed. */
export interface NamedCapture {
  readonly name: string;
  readonly capture: Capture;
}

/** What {@link detectScheme} may be told beside captures and secrets. */
export interface DetectOptions {
  /** The URLs under which the endpoint is registered: some providers sign them, and behind a proxy they cannot be known. */
  readonly urls?: readonly string[];
}

/** What was found. It holds neither a secret nor a signature. */
export interface Detection {
  readonly verdict: "one" | "several" | "none";
  /** All that hold for every capture, the likeliest first; where several are equally simple, all of them. */
  readonly findings: readonly Finding[];
  readonly captures: number;
  /** How many combinations of place, algorithm, encoding, key and signed content were compared. */
  readonly combinations: number;
  /** How many MACs were computed for them. */
  readonly macs: number;
  /** How many signed contents were left untried, since the bodies are too large to try all of them. */
  readonly untried: number;
  /** Where the verdict is `none`: what is probably wrong, the surest first. */
  readonly reasons: readonly string[];
  /** Where it is `several`: what they differ in, and what would decide. */
  readonly decides: readonly string[];
  readonly eventId: EventIdReport;
}

type Searching = Pick<SearchOptions, "keys" | "urls">;

/** So many captures are searched on their own where they have nothing in common. */
const MAX_SEARCHED = 4;

/**
 * Finds every combination of header, algorithm, encoding, prefix, secret decoding and signed content that holds for all captures.
 * It never guesses: what is found has been computed and compared. The work is bounded (`MAX_HASHED_BYTES`), and done in
 * one go: about a second at the most, some milliseconds for deliveries of a few KiB.
 *
 * @param secrets each capture must be signed by one of them, all in the same way
 */
export function detectScheme(
  captures: readonly NamedCapture[],
  secrets: readonly string[],
  { urls = [] }: DetectOptions = {},
): Detection {
  const effort = newEffort();
  const captured = captures.map(({ name, capture }) => capturedOf(capture, name));
  const keys = keysOf(secrets);
  const { candidates, untried } = found(captured, secrets, { keys, urls }, effort);
  const events = eventsIn(parsedCaptures(captured));
  const holding = candidates.filter(({ secretIndexes }) => !secretIndexes.includes(undefined));
  const explained = choose(holding).map(({ chosen, others }) =>
    explain(chosen, others, { captures: captured, events, secrets, effort }),
  );
  const distinct = explained.filter(
    ({ finding }, place) => explained.findIndex((other) => sameFinding(other.finding, finding)) === place,
  );
  const verdict = distinct.length === 0 ? "none" : distinct.length === 1 ? "one" : "several";
  return {
    verdict,
    findings: distinct.map(({ finding }) => finding),
    captures: captured.length,
    untried,
    reasons: verdict === "none" ? reasons({ captured, candidates, secrets, keys, urls, effort }) : [],
    decides: whatWouldDecide(distinct),
    eventId: reportOnIds(captured, distinct[0]),
    // Read last: all that comes before adds to it.
    combinations: effort.combinations,
    macs: effort.macs,
  };
}

interface Found {
  readonly candidates: readonly Tested[];
  readonly untried: number;
}

/** What explains the capture with the smallest body, or else another; tested on all. */
function found(captured: readonly Captured[], secrets: readonly string[], options: Searching, effort: Effort): Found {
  const test = tester(captured, secrets, effort);
  const bySize = [...captured].sort((one, other) => one.body.byteLength - other.body.byteLength);
  let left = 0;
  for (const one of bySize.slice(0, MAX_SEARCHED)) {
    const hashedBytes = MAX_HASHED_BYTES - effort.hashedBytes;
    if (hashedBytes <= 0) break;
    const { matches, untried } = search(one, { ...options, hashedBytes, contents: Number.POSITIVE_INFINITY }, effort);
    left ||= untried;
    if (matches.length === 0) continue;
    return { candidates: distinctOf(matches.flatMap((match) => hypothesesOf(match, one))).map(test), untried };
  }
  return { candidates: [], untried: left };
}

function distinctOf(hypotheses: readonly Hypothesis[]): Hypothesis[] {
  const known = new Map<string, Hypothesis>();
  for (const one of hypotheses) {
    const key = JSON.stringify({ ...one, end: 0 });
    if (!known.has(key)) known.set(key, one);
  }
  return [...known.values()];
}

function sameFinding(one: Finding, other: Finding): boolean {
  return one.code === other.code && (one.code !== undefined || one.signed === other.signed);
}

function reportOnIds(captured: readonly Captured[], explained: Explained | undefined): EventIdReport {
  const source = explained?.finding.handsOnId ? sourceIn(explained.hypothesis.content, "id") : undefined;
  const signedHeaders = explained?.hypothesis.content.flatMap((part) => ("source" in part ? [part.source.header] : []));
  return eventIdReport(parsedCaptures(captured), source && ((one) => textOf(source, one.captured)), signedHeaders);
}
