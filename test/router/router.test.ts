import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { patternsMatching } from "../../src/events/pattern.ts";
import { Router } from "../../src/router/router.ts";

const nothing = () => {};
const names = (router: Router<string>, type: string) => router.matching(type).map(({ name }) => name);
const refused = expect.objectContaining({ code: "registration_refused" });

describe("registration", () => {
  it.each<[string, unknown]>([
    ["a number", 7],
    ["nothing", undefined],
    ["null", null],
    ["an object", {}],
    ["a set", new Set(["order.filled"])],
    ["a symbol", Symbol("order.filled")],
    ["an empty text", ""],
    ["an empty list", []],
    ["a list with a number in it", ["order.filled", 7]],
    ["a list with a hole", new Array(1)],
    ["a list with a misspelt pattern", ["order.filled", "order.**"]],
    ["a pattern in the middle", "*.filled"],
    ["the ping", "bluum-webhooks.ping"],
    ["a list with the ping", ["order.filled", "bluum-webhooks.ping"]],
  ])("refuses %s for a pattern", (_, pattern) => {
    const router = new Router<string>();
    expect(() => router.on(pattern as string, nothing)).toThrow(refused);
    expect(router.empty).toBe(true);
    expect(router.patterns()).toEqual([]);
  });

  it.each([undefined, null, {}, "handler", Promise.resolve()])("refuses %o for a handler", (handler) => {
    expect(() => new Router<string>().on("order.filled", handler as never)).toThrow(refused);
  });

  it.each(["", 7, null, "taken", "order.*:1"])("refuses %j for a name", (name) => {
    const router = new Router<string>();
    router.on("order.filled", nothing, "taken");
    router.on("order.*", nothing);
    expect(() => router.on("order.canceled", nothing, name as string)).toThrow(refused);
    expect(router.patterns()).toEqual(["order.filled", "order.*"]);
  });

  it("lists each pattern once, in order of registration", () => {
    const router = new Router<string>();
    router.on(["transfer.*", "order.filled"], nothing);
    router.on("order.filled", nothing);
    router.on("*", nothing);
    expect(router.patterns()).toEqual(["transfer.*", "order.filled", "*"]);
  });
});

describe("the name of a handler", () => {
  it("is its patterns and a number by default", () => {
    const router = new Router<string>();
    router.on("order.*", nothing);
    router.on("order.*", nothing);
    router.on(["order.filled", "order.*"], nothing);
    router.on("order.filled", nothing);
    router.on("order.*", nothing, "mine");
    expect(names(router, "order.filled")).toEqual([
      "order.*:1",
      "order.*:2",
      "order.filled,order.*:1",
      "order.filled:1",
      "mine",
    ]);
  });

  it("does not change when a handler of another pattern is added", () => {
    const [before, after] = [new Router<string>(), new Router<string>()];
    after.on("kyc.*", nothing);
    for (const router of [before, after]) router.on("order.*", nothing);
    expect(names(after, "order.filled")).toEqual(names(before, "order.filled"));
  });

  it("skips a default name that was given to another handler", () => {
    const router = new Router<string>();
    router.on("order.*", nothing, "order.*:1");
    router.on("order.*", nothing);
    expect(names(router, "order.x")).toEqual(["order.*:1", "order.*:2"]);
  });
});

describe("the handlers of an event", () => {
  it("are all matching ones, in order of registration, each once", () => {
    const router = new Router<string>();
    const patterns = ["order.filled", "*", "transfer.*", "order.*", "transfer.deposit.*", "order.filled"];
    for (const [place, pattern] of patterns.entries()) router.on(pattern, nothing, `${place}`);
    router.on(["order.*", "*", "order.filled", "order.*"], nothing, "many");
    expect(names(router, "order.filled")).toEqual(["0", "1", "3", "5", "many"]);
    expect(names(router, "transfer.deposit.completed")).toEqual(["1", "2", "4", "many"]);
    expect(names(router, "unheard")).toEqual(["1", "many"]);
  });

  it("include those registered after an event of that type", () => {
    const router = new Router<string>();
    router.on("order.filled", nothing);
    expect(names(router, "order.filled")).toEqual(["order.filled:1"]);
    router.on("order.*", nothing);
    expect(names(router, "order.filled")).toEqual(["order.filled:1", "order.*:1"]);
  });

  it("are those of the matching patterns, for any patterns and type", () => {
    const segment = fc.constantFrom("a", "b", "c");
    const name = fc.array(segment, { minLength: 2, maxLength: 4 }).map((segments) => segments.join("."));
    const pattern = fc.oneof(
      name,
      name.map((it) => `${it}.*`),
      segment.map((it) => `${it}.*`),
      fc.constant("*"),
    );
    fc.assert(
      fc.property(fc.array(fc.array(pattern, { minLength: 1, maxLength: 3 })), name, (registered, type) => {
        const router = new Router<string>();
        for (const [place, patterns] of registered.entries()) router.on(patterns, nothing, `${place}`);
        const matching = registered.flatMap((patterns, place) =>
          patterns.some((one) => patternsMatching(type).includes(one)) ? [`${place}`] : [],
        );
        expect(names(router, type)).toEqual(matching);
      }),
    );
  });

  it("are none for a type that looks like a pattern or a property", () => {
    const router = new Router<string>();
    router.on("order.*", nothing);
    for (const type of ["constructor", "__proto__", "order", "order.", "orders.filled", "bluum-webhooks.ping"]) {
      expect(names(router, type)).toEqual(type === "order." ? ["order.*:1"] : []);
    }
  });
});
