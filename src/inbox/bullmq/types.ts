/** The class `Queue` of BullMQ. */
export type BullmqQueueClass = new (name: string, options: never) => BullmqQueue;

/** The class `Worker` of BullMQ. */
export type BullmqWorkerClass = new (name: string, processor: never, options: never) => BullmqWorker;

/** The part of BullMQ's `Queue` that `bullmqInbox` needs. */
export interface BullmqQueue {
  add(name: string, data: unknown, options: object): Promise<unknown>;
  getJob(id: string): Promise<BullmqJob | undefined>;
  getRanges(states: never[], start: number, end: number, ascending: boolean): Promise<string[]>;
  getJobCounts(...states: never[]): Promise<Record<string, number>>;
  /** The key of a job in Redis. */
  toKey(id: string): string;
  on(event: "error", listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
  disconnect(): Promise<void>;
}

/** The part of BullMQ's `Worker` that `bullmqInbox` needs. */
export interface BullmqWorker {
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "completed", listener: (job: BullmqJob) => void): unknown;
  on(event: "failed", listener: (job: BullmqJob | undefined, error: Error) => void): unknown;
  on(event: "stalled", listener: (jobId: string) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  pause(doNotWait: boolean): Promise<void>;
  close(): Promise<void>;
  disconnect(): Promise<void>;
}

/** The part of BullMQ's `Job` that `bullmqInbox` needs. */
export interface BullmqJob {
  id?: string;
  name: string;
  data: unknown;
  progress: unknown;
  opts: { attempts?: number };
  /** When it was added, in epoch milliseconds. */
  timestamp: number;
  /** When it was parked, in epoch milliseconds. */
  finishedOn?: number;
  failedReason: string;
  stacktrace: string[] | null;
  /** How many runs have failed. */
  attemptsMade: number;
  /** How many runs have ended with the death of their worker. */
  stalledCounter: number;
  updateProgress(progress: object): Promise<void>;
  extendLock(token: string, ms: number): Promise<number>;
  moveToDelayed(timestamp: number, token?: string): Promise<void>;
  moveToWait(token?: string): Promise<unknown>;
  retry(state: "failed", options: object): Promise<void>;
  remove(): Promise<void>;
  getState(): Promise<string>;
}
