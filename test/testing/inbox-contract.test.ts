import { describe, expect, it, vi } from "vitest";
import { inboxContract } from "../../src/testing/inbox-contract.ts";
import { plain } from "./broken-inboxes.ts";

describe("a plain inbox that keeps the contract", () => {
  for (const { name, run, timeoutMs } of inboxContract(() => plain())) it.concurrent(name, run, timeoutMs);
});
