import { describe, it } from "vitest";
import { dedupeStoreContract, type StoreUnderTest } from "../../src/testing/store-contract.ts";

/** Runs the store contract against one kind of store. */
export function describeStoreContract(name: string, create: () => StoreUnderTest | Promise<StoreUnderTest>): void {
  describe(`${name} keeps the store contract`, () => {
    for (const { name: statement, run, timeoutMs } of dedupeStoreContract(create)) it(statement, run, timeoutMs);
  });
}
