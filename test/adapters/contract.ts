import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bodyCases } from "./contract/bodies.ts";
import { claimCases } from "./contract/claims.ts";
import { floodCases, memoryCases } from "./contract/memory.ts";
import { signatureCases } from "./contract/signatures.ts";
import { socketCases } from "./contract/sockets.ts";
import type { Member } from "./contract/trial.ts";

/**
 * The contract of an adapter: what any sender may do to a mounted receiver, and what must come of it. Every case starts an
 * app of its own, and ends with a genuine delivery to it.
 */
export function describeAdapterContract(member: Member): void {
  describe.concurrent(`${member.name} keeps the adapter contract`, () => {
    signatureCases(member, it);
    bodyCases(member, it);
    claimCases(member, it);
    if (member.overSockets) socketCases(member, it);
  });
  // The middleware and the handler of an adapter read bodies alike.
  if (member.overSockets && !member.appAnswers)
    describe(`${member.name} keeps the adapter contract`, () => {
      memoryCases(member, it);
      floodCases(member, it);
    });
}

/** Demands that nothing in this file's cases escapes to the process, where it would crash an app. */
export function expectNothingToEscape(): void {
  const escaped: unknown[] = [];
  const note = (error: unknown) => escaped.push(error);
  beforeAll(() => {
    process.on("uncaughtException", note).on("unhandledRejection", note);
  });
  afterAll(() => {
    process.off("uncaughtException", note).off("unhandledRejection", note);
    expect(escaped).toEqual([]);
  });
}
