import type { ParkedPage, ParkedQuery, ParkedSelection } from "../inbox.ts";
import { queryOf, selectionOf } from "../selection.ts";
import type { BullmqBackend } from "./backend.ts";
import { type JobNotes, jobIdOf, parkedEventOf } from "./job.ts";
import { checks } from "./options.ts";
import type { BullmqJob } from "./types.ts";

/** How many jobs are read at once. */
const BATCH = 100;

/** The last event of a page. */
interface Cursor {
  readonly parkedAt: number;
  readonly jobId: string;
}

/** Lists parked events: BullMQ's failed jobs, the oldest first. */
export async function listParked(backend: BullmqBackend, query?: ParkedQuery): Promise<ParkedPage> {
  const { type, keys, limit, cursor } = queryOf(checks, query);
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const jobs = keys === undefined ? failedAfter(backend, after) : keyedAfter(backend, keys, after);
  const page: BullmqJob[] = [];
  for await (const job of jobs) {
    if (type !== undefined && parkedEventOf(job).type !== type) continue;
    if (page.length === limit) return { events: page.map(parkedEventOf), cursor: cursorOf(page.at(-1)) };
    page.push(job);
  }
  return { events: page.map(parkedEventOf) };
}

/** Makes parked events wait again, with their attempts counted from 1 again. */
export function redriveParked(backend: BullmqBackend, selection: ParkedSelection): Promise<number> {
  return forEachParked(backend, selection, async (job) => {
    const stalls = job.stalledCounter ?? 0;
    const notes: JobNotes = { stallsBefore: stalls, stallsPaused: stalls, redrivenAt: Date.now() };
    await backend.answer(job.updateProgress(notes));
    await backend.answer(job.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true }));
  });
}

/** Deletes parked events. */
export function discardParked(backend: BullmqBackend, selection: ParkedSelection): Promise<number> {
  return forEachParked(backend, selection, (job) => backend.answer(job.remove()));
}

type Act = (job: BullmqJob) => Promise<void>;

async function forEachParked(backend: BullmqBackend, selection: ParkedSelection, act: Act): Promise<number> {
  const { keys, type } = selectionOf(checks, selection);
  if (keys !== undefined) return forEachKey(backend, keys, act);
  // As many as there are now: an event that is parked again meanwhile is not taken twice.
  let left = (await backend.counts("failed")).failed ?? 0;
  let position = 0;
  let done = 0;
  while (left > 0) {
    const ids = await backend.ids(["failed"], position, position + Math.min(BATCH, left) - 1);
    if (ids.length === 0) break;
    left -= ids.length;
    const results = await Promise.all(ids.map((id) => actOn(backend, id, act, type)));
    done += results.filter((result) => result === "done").length;
    position += results.filter((result) => result === "kept").length;
  }
  return done;
}

async function forEachKey(backend: BullmqBackend, keys: readonly string[], act: Act): Promise<number> {
  let done = 0;
  const ids = [...new Set(keys.map(jobIdOf))];
  for (let from = 0; from < ids.length; from += BATCH) {
    const results = await Promise.all(ids.slice(from, from + BATCH).map((id) => actOn(backend, id, act)));
    done += results.filter((result) => result === "done").length;
  }
  return done;
}

/** `"gone"`: it is not parked, or not any more. */
async function actOn(backend: BullmqBackend, id: string, act: Act, type?: string): Promise<"done" | "kept" | "gone"> {
  const job = await backend.job(id);
  if (job === undefined || !(await isParked(backend, job))) return "gone";
  if (type !== undefined && parkedEventOf(job).type !== type) return "kept";
  try {
    await act(job);
    return "done";
  } catch (error) {
    // Another process may have redriven or discarded it meanwhile.
    if (await isParked(backend, job)) throw error;
    return "gone";
  }
}

async function isParked(backend: BullmqBackend, job: BullmqJob): Promise<boolean> {
  return (await backend.answer(job.getState())) === "failed";
}

async function* failedAfter(backend: BullmqBackend, after: Cursor | undefined): AsyncGenerator<BullmqJob> {
  let position = after === undefined ? 0 : await backend.parkedBefore(after.parkedAt);
  for (;;) {
    const ids = await backend.ids(["failed"], position, position + BATCH - 1);
    const jobs = await Promise.all(ids.map((id) => backend.job(id)));
    for (const job of jobs) if (job !== undefined && isAfter(job, after)) yield job;
    if (ids.length < BATCH) return;
    position += ids.length;
  }
}

async function* keyedAfter(
  backend: BullmqBackend,
  keys: readonly string[],
  after: Cursor | undefined,
): AsyncGenerator<BullmqJob> {
  const found: BullmqJob[] = [];
  for (const id of new Set(keys.map(jobIdOf))) {
    const job = await backend.job(id);
    if (job !== undefined && isAfter(job, after) && (await isParked(backend, job))) found.push(job);
  }
  yield* found.sort((one, other) => (isAfter(one, placeOf(other)) ? 1 : -1));
}

/** The order of the failed jobs in Redis: by the time, then by the id. */
function isAfter(job: BullmqJob, cursor: Cursor | undefined): boolean {
  if (cursor === undefined) return true;
  const { parkedAt, jobId } = placeOf(job);
  return parkedAt > cursor.parkedAt || (parkedAt === cursor.parkedAt && jobId > cursor.jobId);
}

function placeOf(job: BullmqJob): Cursor {
  return { parkedAt: job.finishedOn ?? 0, jobId: String(job.id) };
}

function cursorOf(job: BullmqJob | undefined): string {
  const { parkedAt, jobId } = placeOf(job as BullmqJob);
  return `${parkedAt}:${jobId}`;
}

function readCursor(cursor: string): Cursor {
  const [, parkedAt, jobId] = /^(\d{1,15}):(.+)$/.exec(cursor) ?? [];
  if (parkedAt === undefined || jobId === undefined) throw checks.invalid("cursor", "must be the cursor of a page");
  return { parkedAt: Number(parkedAt), jobId };
}
