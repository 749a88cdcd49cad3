import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { detectScheme } from "../../../src/cli/detect.ts";
import { exhaustive, inFull } from "../../exhaustive.ts";
import { BODY, captured, NOW } from "./captures.ts";
import { Programs, receive, refusalOf } from "./programs.ts";
import { VARIATIONS } from "./variations.ts";

const OTHER_BODY = BODY.replace("ord_1", "ord_2").replace("filled", "accepted");

let programs: Programs;
beforeAll(() => {
  programs = new Programs("variations");
});
afterAll(() => programs.remove());

describe("detect", () => {
  it("is tested with at least 100 variations", () => {
    expect(VARIATIONS.length).toBeGreaterThanOrEqual(100);
    expect(new Set(VARIATIONS.map(({ name }) => name)).size).toBe(VARIATIONS.length);
  });

  it.each(VARIATIONS.filter((_, place) => exhaustive || place % 5 === 0))("finds $name", inFull, async (variation) => {
    const { secret, sends, scheme } = variation;
    const one = captured(sends(BODY));
    const other = captured({ ...sends(OTHER_BODY), body: OTHER_BODY });

    for (const captures of [[one], [one, other]]) {
      const detection = detectScheme(captures, [secret]);
      expect(detection).toMatchObject({
        verdict: "one",
        captures: captures.length,
        reasons: [],
        decides: [],
        untried: 0,
      });
      const [finding] = detection.findings;
      if (scheme !== undefined) expect(finding).toMatchObject({ scheme, preset: true });
      else expect(finding?.secretIndexes).toEqual(captures.map(() => 0));

      const program = await programs.run(finding?.code ?? "", secret, NOW);
      // A scheme found in one capture matches the other one too, unless a detail is undecided.
      const covered = finding?.undecided.length === 0 ? [one, other] : captures;
      for (const { capture } of covered) {
        expect(refusalOf(await receive(program, capture))).toBe("accepted");
        expect(refusalOf(await receive(program, capture, `${capture.body} `))).toBe("signature_mismatch");
      }
    }
  });

  it("prints programs that compile under the strictest settings", { ...inFull, timeout: 60_000 }, async () => {
    expect(await programs.compile()).toBe("");
  });
});
