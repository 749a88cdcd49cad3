import { randomBytes } from "node:crypto";
import { type Eventual, isPending } from "../async.ts";
import type { ClaimResult } from "../stores/store.ts";
import { Claim, type ClaimTerms } from "./claim.ts";
import { type Lease, leaseFrom } from "./ending.ts";

/** A claim, or what stood in its way. */
export type Taken = Claim | Exclude<ClaimResult, { status: "claimed" }>;

/**
 * Claims an event, and gives the claim or what stood in its way: at once, where the store does. It rejects with what the store
 * threw, or a time-out; it never throws.
 */
export function takeClaim(key: string, terms: ClaimTerms): Eventual<Taken> {
  const token = nextToken();
  const lease = nextLease(terms);
  try {
    const answer = terms.verbs.claim(key, { token, leaseMs: lease.leaseMs });
    return isPending(answer)
      ? answer.then((result) => taken(result, key, token, lease, terms))
      : taken(answer, key, token, lease, terms);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The work without a claim, for `onStoreError: "accept"`. */
export function goWithoutClaim(key: string, terms: ClaimTerms): Claim {
  return new Claim(key, nextToken(), nextLease(terms), terms, undefined);
}

function taken(result: ClaimResult, key: string, token: string, lease: Lease, terms: ClaimTerms): Taken {
  return result.status === "claimed" ? new Claim(key, token, lease, terms, result) : result;
}

function nextLease(terms: ClaimTerms): Lease {
  const sentAt = terms.clock();
  return { sentAt, leaseMs: leaseFrom(sentAt, terms) };
}

/** Drawn when first needed. Together with a count it is as good as a token drawn for each claim, at a tenth of the cost. */
let drawn: string | undefined;
let tokens = 0;

/** A fencing token that no other claim has, of this process or another. */
function nextToken(): string {
  drawn ??= randomBytes(16).toString("base64url");
  tokens += 1;
  return `${drawn}.${tokens}`;
}
