import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exhaustive, inFull } from "../exhaustive.ts";
import { allBodyCases, bodyCases } from "./contract/bodies.ts";
import { allClaimCases, claimCases } from "./contract/claims.ts";
import { floodCases, memoryCases } from "./contract/memory.ts";
import { payloadCases } from "./contract/payloads.ts";
import { allSignatureCases, signatureCases } from "./contract/signatures.ts";
import { allSocketCases, largeUploadCases, socketCases } from "./contract/sockets.ts";
import type { Member } from "./contract/trial.ts";

/**
 * The contract of an adapter, for one way of mounting a receiver: what a framework could change about bodies, sockets and results.
 * Every case starts an app of its own, and ends with a genuine delivery to it.
 */
export function describeAdapterContract(member: Member): void {
  describe.concurrent(`${member.name} keeps the adapter contract`, () => {
    signatureCases(member, it);
    bodyCases(member, it);
    claimCases(member, it);
    if (member.overSockets) socketCases(member, it);
  });
  if (member.overSockets) describeLargeBodies(member);
}

/** The whole contract of a receiver over HTTP, for one mount of each family. What it adds depends on no framework. */
export function describeWholeContract(member: Member): void {
  describe.concurrent(`${member.name} keeps the whole contract`, () => {
    allSignatureCases(member, it);
    allBodyCases(member, it);
    payloadCases(member, it);
    allClaimCases(member, it);
    if (member.overSockets) allSocketCases(member, it);
  });
  if (member.overSockets) describeLargeBodies(member);
}

function describeLargeBodies(member: Member): void {
  describe.runIf(exhaustive)(`${member.name} withstands large bodies`, inFull, () => {
    largeUploadCases(member, it);
    // The middleware and the handler of an adapter read bodies in the same way.
    if (member.appAnswers) return;
    memoryCases(member, it);
    floodCases(member, it);
  });
}

/** Expects that no error of this file's cases escapes to the process, where it would crash an app. */
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
