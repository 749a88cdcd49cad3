import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A time span in epoch milliseconds, and the process or the fault that it belongs to. */
export interface Span {
  readonly who: string;
  readonly from: number;
  readonly to: number;
}

/** An effect: a line of the independent log, or a row that was committed with the completion. */
export interface Effect {
  readonly eventId: string;
  readonly receiver: string;
  readonly delivery: string;
  readonly receivedAt: number;
  readonly startedAt: number;
  readonly happenedAt: number;
}

/** A row that was committed together with its completion. */
export interface EffectRow {
  readonly eventId: string;
  readonly receiver: string;
  readonly happenedAt: number;
}

/** The store answered that it stored the completion. */
interface Stored {
  readonly eventId: string;
  readonly delivery: string | undefined;
  readonly token: string;
  readonly at: number;
}

/** A verb that failed or took long. */
export interface Trouble extends Span {
  readonly kind: "slow" | "failed";
  readonly verb: string;
  readonly eventId: string;
}

/** What the receiver processes have recorded. */
export interface Evidence {
  readonly effects: readonly Effect[];
  readonly stored: readonly Stored[];
  readonly troubles: readonly Trouble[];
  /** When processes stood still: on purpose, stopped, or starved of the machine. */
  readonly still: readonly Span[];
  /** How many of the handlers' faults have struck. */
  readonly struck: ReadonlySet<number>;
}

type Note = { kind: string; from: number; to: number } & Record<string, unknown>;

/** Reads the logs in the storm's folder. */
export function readEvidence(directory: string): Evidence {
  const journals = readdirSync(directory).filter((file) => file.startsWith("journal-"));
  const notes = journals.flatMap((file) => {
    const who = file.slice("journal-".length, -".log".length);
    return linesOf(join(directory, file)).map((line) => ({ who, ...(JSON.parse(line) as Note) }));
  });
  const ofKind = <Found>(...kinds: string[]) => notes.filter(({ kind }) => kinds.includes(kind)) as unknown as Found[];
  return {
    effects: linesOf(join(directory, "effects.log")).map(effectOf),
    stored: ofKind<Stored>("stored"),
    troubles: ofKind<Trouble>("slow", "failed"),
    still: ofKind<Span>("stood", "frozen"),
    struck: new Set(readdirSync(join(directory, "struck")).map(Number)),
  };
}

function effectOf(line: string): Effect {
  const [eventId = "", receiver = "", delivery = "", ...times] = line.split(" ");
  const [receivedAt = 0, startedAt = 0, happenedAt = 0] = times.map(Number);
  return { eventId, receiver, delivery, receivedAt, startedAt, happenedAt };
}

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
}
