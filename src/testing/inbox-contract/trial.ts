import { randomBytes } from "node:crypto";
import { sleep, withTimeout } from "../../async.ts";
import { ParkEvent } from "../../inbox/failure.ts";
import type {
  Inbox,
  InboxAttempt,
  InboxStats,
  InboxWorker,
  ParkedEvent,
  ParkedNotice,
  ParkedQuery,
  WorkOptions,
} from "../../inbox/inbox.ts";
import type { InboxMessage } from "../../inbox/message.ts";
import type { RetryOptions } from "../../inbox/retry.ts";
import { holds } from "../same.ts";

/** An inbox, created for one case of the contract suite, and what the suite needs to drive it. */
export interface InboxUnderTest {
  /** The inbox. It must be empty, and nothing else may use its queue: the suite counts, redrives and discards everything in it. */
  readonly inbox: Inbox;
  /** A second inbox on the same queue with its own connection, as another process would have. @default the inbox itself */
  readonly peer?: Inbox;
  /** Moves the inbox's clock forward, in milliseconds, if it is one that does not run by itself. Called often, with small steps. */
  readonly advance?: (ms: number) => void | Promise<void>;
  /**
   * Takes the backend away from `inbox`, not from `peer`, as when the network fails, and returns what brings it back. Without it the
   * cases about failures of the backend and about workers that die pass unseen.
   */
  readonly cutOff?: () => Reconnect | Promise<Reconnect>;
  /** Frees what was created for this case. Called once, after success and after failure, when all workers are closed. */
  readonly dispose?: () => void | Promise<void>;
  /** The retries as the inbox was configured: 3 to 10 attempts, and `backoffMs` from 100 to 1_000, for a suite that is quick. */
  readonly retry: Required<RetryOptions>;
  /** What the inbox promises beyond the contract. */
  readonly keeps: {
    /** Whether it keeps the order of messages with the same `orderingKey`. */
    readonly order: boolean;
    /** Whether it stores texts with U+0000. If not, it must refuse such a message. @default true */
    readonly nul?: boolean;
  };
  /** The longest that the suite waits for something that must happen, in milliseconds. @default 20_000 */
  readonly patienceMs?: number;
}

/** Brings the backend back. */
type Reconnect = () => void | Promise<void>;

/** One thing that an inbox must do. It rejects where the inbox does not. */
export type InboxStatement = (trial: InboxTrial) => Promise<void>;

/** Statements by name. */
export type InboxStatements = Readonly<Record<string, InboxStatement>>;

/** One run of a message. */
export interface Run {
  readonly key: string;
  /** What the worker was given. */
  readonly stored: unknown;
  readonly attempt: InboxAttempt;
  readonly startedAt: number;
  /** Undefined while it runs. */
  endedAt: number | undefined;
}

/** What a worker of a case does with a message. */
type Behaviour = (stored: unknown, attempt: InboxAttempt, run: Run) => unknown;

/** A worker of a case, and what it told. */
interface TrialWorker extends InboxWorker {
  readonly runs: readonly Run[];
  readonly notices: readonly ParkedNotice[];
  readonly errors: readonly unknown[];
}

/** A promise, and what fulfils it. Every gate is opened at the end of the case. */
interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

/** The tools of a case. */
export interface InboxTrial
  extends Required<Pick<InboxUnderTest, "inbox" | "peer" | "retry" | "keeps" | "patienceMs">> {
  /** The hook of the inbox under test, if it has one. */
  readonly cutOff: InboxUnderTest["cutOff"];
  /** All runs of all workers, in the order of their start. */
  readonly runs: readonly Run[];
  /** A message with a key of its own. */
  message(fields?: Partial<InboxMessage>): InboxMessage;
  /** Several of them, with the same fields. */
  messages(count: number, fields?: Partial<InboxMessage>): InboxMessage[];
  /** Adds messages one after the other. Fails if one is a duplicate. */
  addAll(messages: readonly InboxMessage[], inbox?: Inbox): Promise<void>;
  add(message: InboxMessage, inbox?: Inbox): Promise<"added" | "duplicate">;
  runsOf(message: InboxMessage): Run[];
  /** Starts a worker; by default on `inbox`, and each run succeeds. It is closed at the end of the case. */
  work(behaviour?: Behaviour, options?: Partial<WorkOptions> & { readonly on?: Inbox }): TrialWorker;
  gate(): Gate;
  /** Waits for a condition. Fails when it is still not met after the patience of the suite, or `waitMs`. */
  until(what: string, condition: () => boolean | Promise<boolean>, waitMs?: number): Promise<void>;
  /** Waits until the stats are these, for the patience of the suite, or longer for many messages. */
  untilStats(expected: Partial<InboxStats>, messages?: number): Promise<void>;
  /** Waits until no message waits, pauses or runs. */
  idle(): Promise<void>;
  /** Adds messages and lets a worker park them at once; ends when they are parked and the worker is closed. */
  park(messages: readonly InboxMessage[]): Promise<void>;
  /** All parked events, page by page. */
  allParked(query?: ParkedQuery): Promise<ParkedEvent[]>;
  /** Opens the gates and closes the workers. */
  end(): Promise<void>;
}

const RETENTION_MS = 24 * 60 * 60_000;
const POLL_EVERY_MS = 10;
const CLOSE_WITHIN_MS = 5_000;

/** Sets up a trial of one inbox. */
export function openInboxTrial(subject: InboxUnderTest): InboxTrial {
  const { inbox, peer = inbox, retry, keeps, patienceMs = 20_000, cutOff } = subject;
  holds("retry.attempts is 3 to 10, for the suite", retry.attempts >= 3 && retry.attempts <= 10);
  holds("retry.backoffMs is 100 to 1_000, for the suite", retry.backoffMs >= 100 && retry.backoffMs <= 1_000);
  const runs: Run[] = [];
  const gates: Gate[] = [];
  const workers: InboxWorker[] = [];
  let messages = 0;
  const trial: InboxTrial = {
    ...{ inbox, peer, retry, keeps, patienceMs, cutOff, runs },
    message(fields = {}) {
      messages += 1;
      return newMessage(messages, fields);
    },
    messages: (count, fields) => Array.from({ length: count }, () => trial.message(fields)),
    add: (message, by = inbox) => by.add(message, { retentionMs: RETENTION_MS }),
    async addAll(all, by) {
      for (const message of all) holds("a new message is added", (await trial.add(message, by)) === "added");
    },
    runsOf: ({ key }) => runs.filter((run) => run.key === key),
    work(behaviour = () => {}, { on = inbox, ...options } = {}) {
      const worker = startWorker(on, behaviour, options, runs);
      workers.push(worker);
      return worker;
    },
    gate() {
      const gate = newGate();
      gates.push(gate);
      return gate;
    },
    async until(what, condition, waitMs = patienceMs) {
      const deadline = performance.now() + waitMs;
      while (!(await condition())) {
        if (performance.now() >= deadline) throw new Error(`not within ${waitMs} ms: ${what}`);
        await subject.advance?.(POLL_EVERY_MS);
        await sleep(POLL_EVERY_MS);
      }
    },
    untilStats: (expected, count) => untilStats(trial, expected, count),
    idle: () => trial.untilStats({ waiting: 0, delayed: 0, active: 0 }),
    park: (all) => parkAll(trial, all),
    allParked: (query) => allParked(inbox, query),
    async end() {
      for (const gate of gates) gate.open();
      const closing = workers.map((worker) => worker.close({ timeoutMs: CLOSE_WITHIN_MS }));
      await withTimeout(Promise.allSettled(closing), 2 * CLOSE_WITHIN_MS);
    },
  };
  return trial;
}

function newMessage(number: number, fields: Partial<InboxMessage>): InboxMessage {
  const id = `evt_${number}_${randomBytes(6).toString("hex")}`;
  const type = fields.type ?? "order.filled";
  return {
    ...{ v: 1, key: `contract/${type}/${id}`, id, type, body: `{"type":"${type}","id":"${id}"}` },
    ...{ identifiedBy: "payload", receivedAt: Date.now(), secretIndex: 0 },
    ...fields,
  };
}

function newGate(): Gate {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

function startWorker(inbox: Inbox, behaviour: Behaviour, options: Partial<WorkOptions>, allRuns: Run[]): TrialWorker {
  const [runs, notices, errors]: [Run[], ParkedNotice[], unknown[]] = [[], [], []];
  const process = async (stored: unknown, attempt: InboxAttempt) => {
    const key = String((stored as { key?: unknown } | null)?.key);
    const run: Run = { key, stored, attempt, startedAt: performance.now(), endedAt: undefined };
    runs.push(run);
    allRuns.push(run);
    try {
      await behaviour(stored, attempt, run);
    } finally {
      run.endedAt = performance.now();
    }
  };
  const worker = inbox.work(process, {
    ...{ pollMs: 20, maxProcessingMs: 60_000, ...options },
    onParked(notice) {
      notices.push(notice);
      options.onParked?.(notice);
    },
    onError(error) {
      errors.push(error);
      options.onError?.(error);
    },
  });
  return { runs, notices, errors, close: (by) => worker.close(by) };
}

async function untilStats(trial: InboxTrial, expected: Partial<InboxStats>, messages = 0): Promise<void> {
  const wanted = Object.entries(expected) as [keyof InboxStats, number][];
  let found: InboxStats | undefined;
  const matches = async () => {
    found = await trial.inbox.stats();
    return wanted.every(([state, count]) => found?.[state] === count);
  };
  const waitMs = trial.patienceMs * Math.max(1, messages / 200);
  await trial.until("the stats", matches, waitMs).catch((error: Error) => {
    throw new Error(`${error.message}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(found)}`);
  });
}

async function parkAll(trial: InboxTrial, messages: readonly InboxMessage[]): Promise<void> {
  const { parked: before } = await trial.inbox.stats();
  for (let place = 0; place < messages.length; place += 25) {
    const some = messages.slice(place, place + 25);
    // One after the other where the order of few messages may matter.
    if (messages.length <= 25) await trial.addAll(some);
    else await Promise.all(some.map((message) => trial.add(message)));
  }
  const parker = trial.work(() => Promise.reject(new ParkEvent("parked by the suite")), {
    concurrency: messages.length <= 25 ? 1 : 25,
  });
  await trial.untilStats({ waiting: 0, active: 0, delayed: 0, parked: before + messages.length }, messages.length);
  await parker.close();
}

async function allParked(inbox: Inbox, query: ParkedQuery = {}): Promise<ParkedEvent[]> {
  const events: ParkedEvent[] = [];
  for (let cursor = query.cursor; ; ) {
    const page = await inbox.parked(cursor === undefined ? query : { ...query, cursor });
    events.push(...page.events);
    if (page.cursor === undefined) return events;
    holds("a page that is not the last is not empty", page.events.length > 0);
    cursor = page.cursor;
  }
}
