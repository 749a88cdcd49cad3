import { expect } from "vitest";
import { event, expectRefusal, gate, isSuccess, type Member, signed, trial, until } from "./trial.ts";

const DUPLICATE = { status: 200, body: '{"received":true,"duplicate":true}' };

/** What becomes of an event, by what the app makes of it. */
export function claimCases(member: Member, it: (name: string, run: () => Promise<void>) => void): void {
  it("an event that was processed is answered as a duplicate when it comes again", () =>
    trial(member, {}, async ({ send, reached }) => {
      const delivery = signed();
      expect(await send(delivery)).toSatisfy(isSuccess);
      expect(await send(delivery)).toMatchObject(DUPLICATE);
      expect(reached).toHaveLength(1);
    }));

  it("of 50 deliveries of one event at once the app sees one; the others are in flight or duplicates", () =>
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

  const failures: readonly (readonly [string, () => number | Promise<number>])[] = [
    ["answers 500", () => 500],
    ["answers 404", () => 404],
    ["answers 302", () => 302],
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
    [
      "throws null",
      () => {
        throw null;
      },
    ],
    [
      "throws undefined",
      () => {
        throw undefined;
      },
    ],
    ["rejects with nothing", () => Promise.reject()],
    [
      "throws a string",
      () => {
        throw "no";
      },
    ],
    [
      "throws an error with status 200",
      () => {
        throw Object.assign(new Error("no"), { status: 200 });
      },
    ],
    [
      "throws an error with statusCode 204",
      () => {
        throw Object.assign(new Error("no"), { statusCode: 204 });
      },
    ],
    [
      "throws an error with status 0",
      () => {
        throw Object.assign(new Error("no"), { status: 0, statusCode: 0 });
      },
    ],
    [
      "throws an error whose status is only read",
      () => {
        throw new (class extends Error {
          get status() {
            return 409;
          }
        })();
      },
    ],
    [
      "throws an error that is frozen",
      () => {
        throw Object.freeze(new Error("no"));
      },
    ],
  ];
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
