import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WebhookError } from "../../src/errors.ts";
import { assertPattern, MAX_WILDCARD_DEPTH, patternsMatching } from "../../src/events/pattern.ts";
import { inFull, runs } from "../exhaustive.ts";

function refusalOf(pattern: unknown): WebhookError {
  try {
    assertPattern(pattern as string);
  } catch (error) {
    if (error instanceof WebhookError) return error;
    throw error;
  }
  throw new Error(`${String(pattern)} was not refused`);
}

/** What a pattern means, said as simply as possible. */
function matches(pattern: string, type: string): boolean {
  if (pattern === "*") return true;
  return pattern.endsWith(".*") ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}

const segments = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`).join(".");

describe("assertPattern", () => {
  it.each([
    "*",
    "order.*",
    "order.filled",
    "push",
    "order",
    "orders",
    "transfer.deposit.*",
    "transfer.deposit.completed",
    "compliance.review.opened",
    "Order.Partially-Filled_2",
    "a:b.c/d",
    "заказ.исполнен",
    segments(100),
    `${segments(MAX_WILDCARD_DEPTH)}.*`,
  ])("takes %j", (pattern) => {
    expect(() => assertPattern(pattern)).not.toThrow();
  });

  it.each([
    "",
    ".",
    "order.",
    ".filled",
    "order..filled",
    "**",
    "order.**",
    "order*",
    "order.fill*",
    "*.filled",
    "*.*",
    ".*",
    "order.*.x",
    "order.*.*",
    "order..*",
    " order.filled",
    "order.filled ",
    "order. filled",
    "order.filled\n",
    "order\u00a0.filled",
    "order.fi\u0000lled",
    `${segments(MAX_WILDCARD_DEPTH + 1)}.*`,
    undefined,
    null,
    7,
    {},
    ["order.filled"],
    /order/,
  ])("refuses %j", (pattern) => {
    expect(refusalOf(pattern).code).toBe("registration_refused");
  });

  it("shows the pattern and the allowed forms when it refuses", () => {
    const { message } = refusalOf("order.*.x");
    expect(message).toContain('"order.*.x"');
    for (const form of ['"order.filled"', '"push"', '"order.*"', '"transfer.deposit.*"', '"*"'])
      expect(message).toContain(form);
  });

  it("names the type of a pattern that is not a string", () => {
    expect(refusalOf(undefined).message).toContain("undefined");
  });
});

describe("patternsMatching", () => {
  it("lists the patterns from the most general to the name itself", () => {
    expect(patternsMatching("transfer.deposit.completed")).toEqual([
      "*",
      "transfer.*",
      "transfer.deposit.*",
      "transfer.deposit.completed",
    ]);
    expect(patternsMatching("order.filled")).toEqual(["*", "order.*", "order.filled"]);
  });

  it.each([
    ["order.*", "order.filled", true],
    ["order.*", "order.a.b", true],
    ["order.*", "order", false],
    ["order.*", "orders.filled", false],
    ["order.*", "pre.order.filled", false],
    ["transfer.deposit.*", "transfer.deposit.completed", true],
    ["transfer.deposit.*", "transfer.deposit", false],
    ["transfer.deposit.*", "transfer.deposits.completed", false],
    ["order.filled", "order.filled.late", false],
    ["order.filled", "Order.Filled", false],
    ["*", "order.filled", true],
    ["push", "push", true],
    ["push", "push.tag", false],
    ["push", "Push", false],
    ["push.*", "push", false],
    ["*", "nodots", true],
    ["*", "", true],
  ])("%s, for an event named %j: %s", (pattern, type, expected) => {
    expect(patternsMatching(type).includes(pattern)).toBe(expected);
  });

  it("lists exactly the patterns that match a name", inFull, () => {
    const segment = fc.constantFrom("a", "b", "ab", "order");
    const name = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("."));
    const wildcard = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `${parts.join(".")}.*`);
    fc.assert(
      fc.property(fc.oneof(name, wildcard, fc.constant("*")), name, (pattern, type) => {
        assertPattern(pattern);
        expect(patternsMatching(type).includes(pattern)).toBe(matches(pattern, type));
      }),
      { numRuns: runs(300, 20_000) },
    );
  });

  it("lists no pattern twice for any name", inFull, () => {
    const hostile = fc.string({ unit: fc.constantFrom(".", "*", "a", " ", "\u0000", "\ud800"), maxLength: 60 });
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string()), (type) => {
        const patterns = patternsMatching(type);
        expect(new Set(patterns).size).toBe(patterns.length);
        expect(patterns.length).toBeLessThanOrEqual(MAX_WILDCARD_DEPTH + 2);
      }),
      { numRuns: runs(300, 20_000) },
    );
  });

  it("includes the deepest wildcard that can be registered", () => {
    expect(patternsMatching(`${segments(MAX_WILDCARD_DEPTH)}.end`)).toContain(`${segments(MAX_WILDCARD_DEPTH)}.*`);
  });

  it("bounds the list for a name of a million dots, and includes the exact name", () => {
    const type = "a.".repeat(1_000_000);
    const patterns = patternsMatching(type);
    expect(patterns).toHaveLength(MAX_WILDCARD_DEPTH + 2);
    expect(patterns.at(-1)).toBe(type);
  });
});
