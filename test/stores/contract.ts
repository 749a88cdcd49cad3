import { describe, it } from "vitest";
import { dedupeStoreContract, type StoreUnderTest } from "../../src/testing/store-contract.ts";
import { exhaustive, inFull } from "../exhaustive.ts";

/** The case that claims 10,000 times, which takes seconds on a server. It runs alone; the others wait for most of their time. */
const CROWD = /200 times/;

/**
 * Runs the store contract against one kind of store.
 *
 * @param options.crowd whether `npm test`, too, runs the case that claims 10,000 times. @default true
 */
export function describeStoreContract(
  name: string,
  create: () => StoreUnderTest | Promise<StoreUnderTest>,
  { crowd = true }: { readonly crowd?: boolean } = {},
): void {
  describe(`${name} keeps the store contract`, () => {
    for (const { name: statement, run, timeoutMs } of dedupeStoreContract(create)) {
      if (!CROWD.test(statement)) it.concurrent(statement, run, timeoutMs);
      else if (crowd) it(statement, run, timeoutMs);
      else it.runIf(exhaustive)(statement, { ...inFull, timeout: timeoutMs }, run);
    }
  });
}
