import { adding } from "./inbox-contract/adding.ts";
import { closing } from "./inbox-contract/closing.ts";
import { counting } from "./inbox-contract/counting.ts";
import { keeping } from "./inbox-contract/keeping.ts";
import { ordering } from "./inbox-contract/ordering.ts";
import { parked, parkedInNumbers } from "./inbox-contract/parked.ts";
import { retrying } from "./inbox-contract/retrying.ts";
import {
  type InboxStatement,
  type InboxStatements,
  type InboxUnderTest,
  openInboxTrial,
} from "./inbox-contract/trial.ts";
import { dying, working } from "./inbox-contract/working.ts";
import type { ContractCase } from "./store-contract.ts";

export type { InboxUnderTest };

const CASE_TIMEOUT_MS = 60_000;
/** For a thousand messages, and for the time until a dead worker's message is taken again. */
const LONG_CASE_TIMEOUT_MS = 240_000;

/**
 * The contract of `Inbox` as named cases, for any test runner. An inbox that passes all of them works in a receiver. What no such case
 * can show: that what is stored survives a crash of your backend, and that a message that kills its process again and again is parked.
 *
 * @param createInbox creates a fresh {@link InboxUnderTest}, empty; called once for each case
 * @example
 * const retry = { attempts: 3, backoffMs: 200, maxBackoffMs: 1_000 };
 * const create = () => ({ inbox: myInbox(client, { queue: uniqueName(), retry }), retry, keeps: { order: false } });
 * for (const { name, run, timeoutMs } of inboxContract(create)) it(name, run, timeoutMs);
 */
export function inboxContract(createInbox: () => InboxUnderTest | Promise<InboxUnderTest>): readonly ContractCase[] {
  return [
    ...casesOf([adding, keeping, retrying, parked, counting, ordering, working, closing], CASE_TIMEOUT_MS, createInbox),
    ...casesOf([parkedInNumbers, dying], LONG_CASE_TIMEOUT_MS, createInbox),
  ];
}

function casesOf(
  chapters: readonly InboxStatements[],
  timeoutMs: number,
  createInbox: () => InboxUnderTest | Promise<InboxUnderTest>,
): ContractCase[] {
  const statements = chapters.flatMap((chapter) => Object.entries(chapter));
  return statements.map(([name, check]) => ({
    name,
    timeoutMs,
    run: async () => runOne(check, await createInbox()),
  }));
}

async function runOne(check: InboxStatement, subject: InboxUnderTest): Promise<void> {
  const [checked] = await Promise.allSettled([judge(check, subject)]);
  const [disposed] = await Promise.allSettled([dispose(subject)]);
  // A failed statement matters more than a failed clean-up.
  if (checked.status === "rejected") throw checked.reason;
  if (disposed.status === "rejected") throw disposed.reason;
}

async function judge(check: InboxStatement, subject: InboxUnderTest): Promise<void> {
  const trial = openInboxTrial(subject);
  const [checked] = await Promise.allSettled([check(trial)]);
  const [ended] = await Promise.allSettled([trial.end()]);
  if (checked.status === "rejected") throw checked.reason;
  if (ended.status === "rejected") throw ended.reason;
}

async function dispose(subject: InboxUnderTest): Promise<void> {
  await subject.dispose?.();
}
