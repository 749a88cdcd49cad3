import { expect } from "vitest";
import { event, expectRefusal, gate, type It, isSuccess, type Member, signed, trial, until } from "./trial.ts";

const DUPLICATE = { status: 200, body: '{"received":true,"duplicate":true}' };

/** How an app fails. */
type Failure = readonly [string, () => number | Promise<number>];

/** Failures that frameworks treat in different ways. */
const FAILURES: readonly Failure[] = [
  ["answers 500", () => 500],
  ["answers 302", () => 302],
  ["throws", throwing(() => new Error("no"))],
  ["rejects", () => Promise.reject(new Error("no"))],
  ["throws null", throwing(() => null)],
  ["rejects without an error", () => Promise.reject()],
  ["throws an error with status 200", throwing(() => Object.assign(new Error("no"), { status: 200 }))],
  ["throws an error with a read-only status", throwing(() => new ReadOnlyStatus())],
  ["throws a frozen error", throwing(() => Object.freeze(new Error("no")))],
];

const MORE_FAILURES: readonly Failure[] = [
  ["answers 404", () => 404],
  ["throws undefined", throwing(() => undefined)],
  ["throws a string", throwing(() => "no")],
  ["throws an error with statusCode 204", throwing(() => Object.assign(new Error("no"), { statusCode: 204 }))],
  ["throws an error with status 0", throwing(() => Object.assign(new Error("no"), { status: 0, statusCode: 0 }))],
];

class ReadOnlyStatus extends Error {
  get status(): number {
    return 409;
  }
}

/** A new error for each run, since frameworks write to errors. */
function throwing(make: () => unknown): () => never {
  return () => {
    throw make();
  };
}

/** For every mount: an event is settled by the app's result. */
export function claimCases(member: Member, it: It): void {
  it("an event that was processed is answered as a duplicate when it comes again", () =>
    trial(member, {}, async ({ send, reached }) => {
      const delivery = signed();
      expect(await send(delivery)).toSatisfy(isSuccess);
      expect(await send(delivery)).toMatchObject(DUPLICATE);
      expect(reached).toHaveLength(1);
    }));

  failureCases(member, it, FAILURES);

  it("an event that is being worked on is answered 503 event_in_flight", () => {
    const done = gate<number>();
    return trial(member, { work: () => done.opened }, async ({ send, reached }) => {
      const delivery = signed();
      const first = send(delivery);
      await until(() => reached.length === 1, "the app");
      expectRefusal(await send(delivery), 503, "event_in_flight");
      done.open(204);
      expect(await first).toSatisfy(isSuccess);
    });
  });

  it("a ping is answered and never reaches the app", () =>
    trial(member, {}, async ({ send, reached }) => {
      const answer = await send(signed(event({ event: "bluum-webhooks.ping" })));
      expect(answer).toMatchObject({ status: 200, body: '{"received":true,"ping":true}' });
      expect(reached).toEqual([]);
    }));
}

/** For one mount of each family: more failures, many deliveries at once, and a store that is down. */
export function allClaimCases(member: Member, it: It): void {
  claimCases(member, it);
  failureCases(member, it, MORE_FAILURES);

  it("the app sees one of 50 deliveries of one event at once; the others are in flight or duplicates", () =>
    trial(member, { work: () => new Promise((resolve) => setTimeout(resolve, 50, 204)) }, async ({ send, reached }) => {
      const delivery = signed();
      const answers = await Promise.all(Array.from({ length: 50 }, () => send(delivery)));
      expect(reached).toHaveLength(1);
      const others = answers.filter(
        ({ status, body }) => !(status === 503 && body.includes("event_in_flight")) && !body.includes("duplicate"),
      );
      expect(others).toHaveLength(1);
      expect(await send(delivery)).toMatchObject(DUPLICATE);
    }));

  it("a store that is down is answered 503 store_unavailable, and the app sees nothing", () => {
    let down = true;
    const kept = new Map<string, string>();
    const store = {
      claim: async (key: string, { token }: { token: string }) => {
        if (down) throw new Error("down");
        kept.set(key, token);
        return { status: "claimed" as const };
      },
      renew: async () => true,
      complete: async () => "stored" as const,
      release: async (key: string) => kept.delete(key),
    };
    return trial(member, { store, namespace: "contract" }, async ({ send, reached }) => {
      const delivery = signed();
      expectRefusal(await send(delivery), 503, "store_unavailable");
      expect(reached).toEqual([]);
      down = false;
      expect(await send(delivery)).toSatisfy(isSuccess);
    });
  });
}

function failureCases(member: Member, it: It, failures: readonly Failure[]): void {
  for (const [what, fail] of failures) {
    it(`an app that ${what} has failed: no 2xx, and the retry runs`, () => {
      let fails = true;
      return trial(member, { work: () => (fails ? fail() : 204) }, async ({ send, reached }) => {
        const delivery = signed();
        const answer = await send(delivery);
        expect(answer).not.toSatisfy(isSuccess);
        if (!member.appAnswers) expectRefusal(answer, 500, "handler_failed");
        fails = false;
        expect(await send(delivery)).toSatisfy(isSuccess);
        expect(reached).toHaveLength(2);
      });
    });
  }
}
