import { expect, it } from "vitest";
import { singletonKeyOf } from "../../src/inbox/pg-boss/job.ts";
import { messageOf } from "./sqlite-support.ts";

const keyFor = (orderingKey: string) => singletonKeyOf(messageOf("a", { orderingKey }));

it("an ordering key fits into an index of PostgreSQL, however long it is", () => {
  expect(keyFor("acc_1")).toBe("order:acc_1");
  expect(keyFor("a".repeat(200))).toBe(`order:${"a".repeat(200)}`);
  const [one, other] = [keyFor(`${"é".repeat(100_000)}1`), keyFor(`${"é".repeat(100_000)}2`)];
  expect(Buffer.byteLength(one)).toBeLessThan(2_704);
  expect(one).not.toBe(other);
  expect(keyFor(`${"é".repeat(100_000)}1`)).toBe(one);
});
