import { failureWith } from "../failure.ts";
import type { ParkedEvent } from "../inbox.ts";
import { messageIn } from "../message.ts";
import type { BullmqJob } from "./types.ts";

/**
 * The job id of a message: its key. BullMQ refuses `:` and integers; no key of a receiver is such, and others are escaped.
 */
export function jobIdOf(key: string): string {
  const escaped = key.replaceAll("%", "%25").replaceAll(":", "%3A");
  return /^-?\d+$/.test(escaped) ? `%i${escaped}` : escaped;
}

/**
 * What the inbox notes on a job, in its progress: a crash raises BullMQ's `stalledCounter`, which no API resets.
 */
export interface JobNotes {
  /** The `stalledCounter` when the job was last parked or redriven: older crashes do not count. */
  readonly stallsBefore: number;
  /** The `stalledCounter` up to which each crash was followed by a backoff. */
  readonly stallsPaused: number;
  /** The `stalledCounter` while the job waited in a worker for its turn: if that worker dies, it was no attempt. */
  readonly idleAt?: number;
  /** The `stalledCounter` when a run started of a job that had crashed before: if it crashes without this, it had not started. */
  readonly startedAt?: number;
  /** How many attempts were made when the job was parked. */
  readonly attempts?: number;
  /** When the job was last redriven, in epoch milliseconds. */
  readonly redrivenAt?: number;
}

/** The notes on a job. */
export function notesOf({ progress }: BullmqJob): JobNotes {
  const found = (typeof progress === "object" && progress !== null ? progress : {}) as Record<string, unknown>;
  const { stallsBefore, stallsPaused, idleAt, startedAt, attempts, redrivenAt } = found;
  return {
    stallsBefore: typeof stallsBefore === "number" ? stallsBefore : 0,
    stallsPaused: typeof stallsPaused === "number" ? stallsPaused : 0,
    ...(typeof idleAt === "number" && { idleAt }),
    ...(typeof startedAt === "number" && { startedAt }),
    ...(typeof attempts === "number" && { attempts }),
    ...(typeof redrivenAt === "number" && { redrivenAt }),
  };
}

/** How far a job is: runs that failed and runs that crashed count alike. */
export interface Progress {
  /** How many runs have failed or crashed. */
  readonly failed: number;
  /** How many of them have crashed. */
  readonly crashed: number;
  /** How many runs there are before the job is parked. */
  readonly of: number;
}

/** How far a job is. */
export function progressOf(job: BullmqJob): Progress {
  const stalls = job.stalledCounter ?? 0;
  const crashed = Math.max(0, stalls - notesOf(job).stallsBefore - (diedIdle(job) ? 1 : 0));
  return { crashed, failed: job.attemptsMade + crashed, of: Math.max(1, job.opts.attempts ?? 1) };
}

/** Whether the last worker of a job died before it started the job: that was no attempt. */
export function diedIdle(job: BullmqJob): boolean {
  const stalls = job.stalledCounter ?? 0;
  const { stallsBefore, stallsPaused, idleAt = stalls, startedAt } = notesOf(job);
  const hadCrashed = stalls - stallsBefore > 1;
  return idleAt < stalls || (stalls > stallsPaused && hadCrashed && startedAt !== stalls - 1);
}

/**
 * Whether a job must run alone in its worker: it has crashed before, and either more than once or this is its last attempt. So no
 * event is parked for a crash that another one caused.
 */
export function mustRunAlone({ crashed, failed, of }: Progress): boolean {
  return crashed > 1 || (crashed === 1 && failed + 1 >= of);
}

/** The key of a job's message; for a message that cannot be read, the job's id. */
export function keyOf(job: BullmqJob): string {
  const key = (job.data as { key?: unknown } | null)?.key;
  return typeof key === "string" ? key : String(job.id);
}

/** A failed job as the contract shows it. */
export function parkedEventOf(job: BullmqJob): ParkedEvent {
  const message = messageIn(() => job.data);
  return {
    key: keyOf(job),
    id: message?.id ?? "",
    type: message?.type ?? job.name,
    attempts: notesOf(job).attempts ?? progressOf(job).failed,
    error: failureWith(job.failedReason, job.stacktrace?.at(-1)),
    parkedAt: new Date(job.finishedOn ?? 0),
    message,
  };
}
