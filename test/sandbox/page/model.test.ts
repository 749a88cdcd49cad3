import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indentJson } from "../../../src/page/model/json-text.ts";
import { visible, visibleBlock } from "../../../src/page/model/visible-text.ts";
import { durationWords } from "../../../src/page/model/words.ts";
import { EVERYTHING, Ledger } from "../../../src/sandbox/page/model/ledger.ts";
import { Outcomes } from "../../../src/sandbox/page/model/outcomes.ts";
import {
  LOOKS,
  type Look,
  latencyWords,
  lookOf,
  outcomeOf,
  standingOf,
} from "../../../src/sandbox/page/model/words.ts";
import type { DeliveryOrigin, DeliveryState, DeliverySummary } from "../../../src/sandbox/page-api.ts";
import { character } from "../../unicode.ts";
import { attempt, DAWN, delivery } from "./world.ts";

const state = fc.constantFrom<DeliveryState>("waiting", "sending", "delivered", "retrying", "parked");
const id = fc.integer({ min: 0, max: 12 }).map(String);
const origin = fc.constantFrom<DeliveryOrigin>("event", "duplicate", "replay", "forged");
const attempts = fc.constantFrom([], [attempt(DAWN, { status: 401 })], [attempt(DAWN, { status: 500 })]);
const put = fc.record({
  id,
  state,
  origin,
  attempts,
  replayed: fc.boolean(),
  type: fc.constantFrom("order.filled", "kyc.done"),
  createdAt: fc.nat({ max: 9_000_000 }),
});
const step = fc.oneof(
  put.map(({ id, ...rest }) => ({ put: delivery(id, rest) })),
  fc.array(id, { maxLength: 3 }).map((drop) => ({ drop })),
  fc
    .record({ look: fc.option(fc.constantFrom(...LOOKS)), text: fc.constantFrom("", "ORDER", "kyc") })
    .map((filter) => ({ filter })),
);

/** The same ledger as a plain list, however slow. */
class PlainLedger {
  all: DeliverySummary[] = [];
  filter: { look: Look | null; text: string } = { look: null, text: "" };

  put(delivery: DeliverySummary): void {
    const at = this.all.findIndex(({ id }) => id === delivery.id);
    if (at < 0) this.all.push(delivery);
    else this.all[at] = delivery;
  }

  get shown(): DeliverySummary[] {
    const { look, text } = this.filter;
    return this.all.filter((each) => (look ?? lookOf(each)) === lookOf(each) && each.type.includes(text.toLowerCase()));
  }
}

describe("the page's ledger", () => {
  it("agrees with a plain list after any sequence of changes", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ledger = new Ledger();
        const plain = new PlainLedger();
        for (const each of steps) {
          if ("put" in each) {
            ledger.put(each.put);
            plain.put(each.put);
          } else if ("drop" in each) {
            ledger.drop(each.drop);
            plain.all = plain.all.filter(({ id }) => !each.drop.includes(id));
          } else {
            ledger.filter({ ...EVERYTHING, ...each.filter });
            plain.filter = each.filter;
          }
        }
        expect(ledger.shown.map(({ delivery }) => delivery)).toEqual(plain.shown);
        expect(ledger.shown.map((entry) => ledger.indexOf(entry))).toEqual(ledger.shown.map((_, at) => at));
        for (const look of LOOKS) {
          expect(ledger.counts[look]).toBe(plain.all.filter((each) => lookOf(each) === look).length);
        }
        const parked = ledger.outcomes.columns().reduce((sum, { counts }) => sum + counts.parked, 0);
        expect(parked).toBe(ledger.counts.parked);
      }),
    );
  });
});

describe("the chart's columns", () => {
  it("put each delivery in the column of its time, in at most sixty columns", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ state, afterMs: fc.nat({ max: 10 ** 10 }) }), { minLength: 1 }), (all) => {
        const outcomes = new Outcomes();
        for (const each of all) outcomes.add(delivery("d", { state: each.state, createdAt: DAWN + each.afterMs }));
        const columns = outcomes.columns();
        expect(columns.length).toBeLessThanOrEqual(61);
        for (const { start, counts } of columns) {
          const inside = all.filter(({ afterMs }) => Math.floor((DAWN + afterMs - start) / outcomes.widthMs) === 0);
          for (const outcome of Object.keys(counts) as (keyof typeof counts)[]) {
            expect(counts[outcome]).toBe(
              inside.filter((each) => outcomeOf(delivery("d", { state: each.state })) === outcome).length,
            );
          }
        }
      }),
    );
  });
});

describe("JSON for people", () => {
  const text = (json: string) =>
    indentJson(json)
      ?.map((piece) => piece.text)
      .join("");

  it("is indented like JSON.stringify", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const value: unknown = JSON.parse(json);
        fc.pre(!json.includes("__proto__"));
        expect(text(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
      }),
    );
  });

  it("keeps numbers, escapes, repeated keys and order as they were sent", () => {
    expect(text('{"b":1.10,"a":1e400,"a":"\\u0041\\"","2":[],"1":{ }}')).toBe(
      '{\n  "b": 1.10,\n  "a": 1e400,\n  "a": "\\u0041\\"",\n  "2": [],\n  "1": {}\n}',
    );
  });

  it("is unchanged if it is not JSON or nested too deep", () => {
    expect(indentJson("{")).toBeNull();
    expect(indentJson("[".repeat(101) + "]".repeat(101))).toBeNull();
    expect(indentJson("[".repeat(100) + "]".repeat(100))).not.toBeNull();
  });

  it("is indented if it is a megabyte, in one string and in many numbers", () => {
    const long = JSON.stringify({
      text: "é\\n".repeat(300_000),
      numbers: Array.from({ length: 100_000 }, (_, n) => n),
    });
    expect(text(long)?.split("\n")).toHaveLength(100_005);
  });

  it("is one piece if it is long", () => {
    expect(indentJson(JSON.stringify(Array.from({ length: 20_000 }, () => "x")))).toHaveLength(1);
  });
});

describe("text from the wire", () => {
  it("shows invisible characters as code points", () => {
    fc.assert(
      fc.property(fc.string({ unit: character }), (wire) => {
        expect(visible(wire).replaceAll("\u200d", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        expect(visibleBlock(wire).replaceAll(/[\n\t\u200d]/g, "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      }),
    );
  });

  it("is unchanged if all characters are visible, in any script", () => {
    for (const plain of ["order.filled", "Größe 10 €", "注文.完了", "👩‍💻"]) expect(visible(plain)).toBe(plain);
  });
});

describe("words", () => {
  it("format durations in two units down to a second", () => {
    const said = [0, 900, 60_000, 252_000, 7_200_000, 9_360_000, 200 * 3_600_000, -5].map(durationWords);
    expect(said).toEqual(["0 s", "1 s", "1 min", "4 min 12 s", "2 h", "2 h 36 min", "8 d 8 h", "0 s"]);
    expect([0.42, 12.4, 999.6, 30_000].map(latencyWords)).toEqual(["0.4 ms", "12 ms", "1000 ms", "30.0 s"]);
  });

  it("judge a forged delivery by whether it was refused", () => {
    const refused = { state: "parked", origin: "forged", attempts: [attempt(DAWN, { status: 401 })] } as const;
    const unanswered = {
      ...refused,
      attempts: [attempt(DAWN, { status: null, latencyMs: null, error: "timed out" })],
    } as const;
    const failed = { ...refused, attempts: [attempt(DAWN, { status: 500 })] } as const;
    expect(standingOf(delivery("d", refused)).look).toBe("refused");
    expect(standingOf(delivery("d", failed)).look).toBe("failed");
    expect(standingOf(delivery("d", unanswered)).look).toBe("failed");
    expect(standingOf(delivery("d", { state: "delivered", origin: "forged" })).look).toBe("fooled");
    expect(standingOf(delivery("d", { state: "parked" })).look).toBe("parked");
  });

  it("call only deliveries that can be replayed parked", () => {
    const parked = { state: "parked" } as const;
    expect(lookOf(delivery("d", { ...parked, origin: "replay" }))).toBe("parked");
    expect(standingOf(delivery("d", { ...parked, attempts: [] })).note).toBe("never sent");
    expect(standingOf(delivery("d", { ...parked, replayed: true })).word).toBe("Replayed");
    expect(standingOf(delivery("d", { ...parked, origin: "duplicate" })).word).toBe("Failed");
  });
});
