import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { storeFailure } from "../../src/stores/backend/failure.ts";
import { isBusy } from "../../src/stores/sqlite/database.ts";

/** An error as a test runner with a realm of its own, such as Jest, lets through from Node and from native drivers. */
function errorOfAnotherRealm(message: string, code?: string): unknown {
  return runInNewContext("Object.assign(new Error(message), { code })", { message, code });
}

describe("an error of another realm", () => {
  it("is no instance of Error", () => {
    expect(errorOfAnotherRealm("connect ECONNREFUSED") instanceof Error).toBe(false);
  });

  it("keeps its message in the store's failure", () => {
    const failure = storeFailure("Redis", "claim the event", errorOfAnotherRealm("connect ECONNREFUSED"));
    expect(failure.message).toBe("Redis could not claim the event: connect ECONNREFUSED");
  });

  it("keeps its code if it has no message", () => {
    const failure = storeFailure("Redis", "claim the event", errorOfAnotherRealm("", "ECONNREFUSED"));
    expect(failure.message).toBe("Redis could not claim the event: ECONNREFUSED");
  });

  it("is recognised as SQLITE_BUSY", () => {
    expect(isBusy(errorOfAnotherRealm("database is locked"))).toBe(true);
    expect(isBusy(errorOfAnotherRealm("no such table: events"))).toBe(false);
  });
});

describe("a thrown value that is not an error", () => {
  it.each([undefined, null, "database is locked", { message: "database is locked" }])(
    "%j is never quoted",
    (thrown) => {
      expect(isBusy(thrown)).toBe(false);
      expect(storeFailure("Redis", "claim the event", thrown).message).toBe(
        "Redis could not claim the event: the client rejected with a value that is not an error",
      );
    },
  );
});
