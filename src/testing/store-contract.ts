import { claiming } from "./store-contract/claiming.ts";
import { completing } from "./store-contract/completing.ts";
import { fencing } from "./store-contract/fencing.ts";
import { forgetting } from "./store-contract/forgetting.ts";
import { keys } from "./store-contract/keys.ts";
import { racing } from "./store-contract/racing.ts";
import { releasing } from "./store-contract/releasing.ts";
import { renewing } from "./store-contract/renewing.ts";
import { openTrial, type Statement, type Statements, type StoreUnderTest } from "./store-contract/trial.ts";

export type { StoreUnderTest };

/** One statement of a contract. */
export interface ContractCase {
  /** The statement, in plain words. */
  readonly name: string;
  /** Rejects if the statement does not hold, with an Error that says what was expected and what came. */
  readonly run: () => Promise<void>;
  /** How long the case may take, in milliseconds, on a slow machine and a real database. */
  readonly timeoutMs: number;
}

const CASE_TIMEOUT_MS = 60_000;
/** For 10,000 claims. */
const CROWD_TIMEOUT_MS = 240_000;

/**
 * The contract of `DedupeStore` as named cases, for any test runner. A store that passes all of them works in a receiver. One thing
 * no test can show: that its writes survive a crash of your backend.
 *
 * @param createStore creates a fresh {@link StoreUnderTest}; called once for each case
 * @example
 * for (const { name, run, timeoutMs } of dedupeStoreContract(() => ({ store: myStore(client) }))) it(name, run, timeoutMs);
 */
export function dedupeStoreContract(
  createStore: () => StoreUnderTest | Promise<StoreUnderTest>,
): readonly ContractCase[] {
  return [
    ...casesOf([claiming, renewing, completing, releasing, fencing, forgetting, keys], CASE_TIMEOUT_MS, createStore),
    ...casesOf([racing], CROWD_TIMEOUT_MS, createStore),
  ];
}

function casesOf(
  chapters: readonly Statements[],
  timeoutMs: number,
  createStore: () => StoreUnderTest | Promise<StoreUnderTest>,
): ContractCase[] {
  const statements = chapters.flatMap((chapter) => Object.entries(chapter));
  return statements.map(([name, check]) => ({
    name,
    timeoutMs,
    run: async () => runOne(check, await createStore()),
  }));
}

async function runOne(check: Statement, subject: StoreUnderTest): Promise<void> {
  const [checked] = await Promise.allSettled([check(openTrial(subject))]);
  const [disposed] = await Promise.allSettled([dispose(subject)]);
  // A failed statement matters more than a failed clean-up.
  if (checked.status === "rejected") throw checked.reason;
  if (disposed.status === "rejected") throw disposed.reason;
}

async function dispose(subject: StoreUnderTest): Promise<void> {
  await subject.dispose?.();
}
