import { describe, expect, it } from "vitest";
import { createReceiver, WebhookError } from "../../src/index.ts";
import { settingsOf } from "../../src/pipeline/options.ts";
import { codeWords, readText, tableOf } from "./markdown.ts";

const secret = `whsec_${Buffer.from("a secret of 32 bytes for testing").toString("base64")}`;

describe("the options table", () => {
  const rows = tableOf("docs/reference/options.md", "options").map(([option = "", ...cells]) => [
    codeWords(option)[0] ?? "",
    ...cells,
  ]);
  const [, behind = ""] = readText("src/pipeline/options.ts").split("export interface ReceiverOptions {");
  const declared = [...(behind.split("\n}")[0] ?? "").matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name);

  it("lists the options of createReceiver, all of them, in their order", () => {
    expect(declared).toContain("secret");
    expect(rows.map(([option]) => option)).toEqual(declared);
  });

  const numeric = rows.filter(([, , bounds = ""]) => / to /.test(bounds));
  it.each(numeric)("tells the default of %s", (option = "", text = "") => {
    const defaults: Record<string, unknown> = { ...settingsOf({ secret }) };
    expect(defaults[option]).toBe(text.startsWith("`") ? defaults[codeWords(text)[0] ?? ""] : quantity(text));
  });

  it.each(numeric)("tells the bounds of %s", (option = "", _default = "", bounds = "") => {
    const others: Record<string, unknown> = {
      ...settingsOf({ secret }),
      store: undefined,
      eventId: undefined,
      observe: undefined,
    };
    const [least = 0, most = 0] = bounds
      .split(" to ")
      .map((text) => (text.startsWith("`") ? Number(others[codeWords(text)[0] ?? ""]) : quantity(text)));
    const make = (value: number) => createReceiver({ secret, logger: false, [option]: value });
    expect(() => [make(least), make(most)]).not.toThrow();
    for (const value of [least - 1, most + 1]) expect(() => make(value)).toThrow(WebhookError);
  });
});

const UNITS: Record<string, number> = {
  ...{ ms: 1, s: 1_000, min: 60_000, h: 3_600_000, days: 86_400_000 },
  ...{ B: 1, MiB: 1024 * 1024 },
};

function quantity(text: string): number {
  const [number, unit = ""] = text.split(" ");
  return Number(number) * (UNITS[unit] ?? Number.NaN);
}
