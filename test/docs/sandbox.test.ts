import { describe, expect, it } from "vitest";
import { bluumSignature, standardWebhooksSignature } from "../../src/index.ts";
import { FAULTS, faultTitle } from "../../src/sandbox/deliveries/faults.ts";
import { settingsFrom } from "../../src/sandbox/options.ts";
import { SCENARIOS } from "../../src/sandbox/scenarios.ts";
import { forgeriesOf } from "../../src/sandbox/signing/forgeries.ts";
import { codeWords, tableOf } from "./markdown.ts";

// The snippets of the page are run with those of all pages, by test/readme.test.ts.
const rowsOf = (table: string) =>
  tableOf("docs/reference/sandbox.md", table).map(([name = "", what]) => [codeWords(name)[0], what]);

describe("docs/reference/sandbox.md", () => {
  it("lists the scenarios", () => {
    expect(rowsOf("scenarios")).toEqual(SCENARIOS.map(({ name, title }) => [name, title]));
  });

  it("lists the faults", () => {
    expect(rowsOf("faults")).toEqual(FAULTS.map((fault) => [fault, faultTitle(fault)]));
  });

  it("lists the forgeries", () => {
    const forgeries = forgeriesOf(standardWebhooksSignature());
    expect(rowsOf("forgeries")).toEqual(forgeries.map(({ kind, title }) => [kind, title]));
    expect(forgeriesOf(bluumSignature()).length).toBeLessThan(forgeries.length);
  });

  it("lists the options", () => {
    const refusal = () => settingsFrom({ none: 1 } as object);
    expect(refusal).toThrow(
      `there are ${rowsOf("sandbox-options")
        .map(([name]) => name)
        .join(", ")}`,
    );
  });
});
