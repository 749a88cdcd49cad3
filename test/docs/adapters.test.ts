import { describe, expect, it } from "vitest";
import { readText } from "./markdown.ts";

const DOOR = "src/adapter.ts";

/** Each export of the door, with the source that declares it. */
const exported = [...readText(DOOR).matchAll(/export (?:type )?\{([^}]*)\} from "\.\/([^"]+)"/g)].flatMap(
  ([, names = "", source = ""]) =>
    names
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean)
      .map((name) => ({ name, source: `src/${source}` })),
);

describe("the door bluum-webhooks/adapter", () => {
  it("is found", () => {
    expect(exported.map(({ name }) => name)).toEqual(expect.arrayContaining(["BodyBuffer", "Delivery", "replyTo"]));
  });

  it.each(exported)("docs/guides/writing-an-adapter.md names $name", ({ name }) => {
    expect(readText("docs/guides/writing-an-adapter.md")).toMatch(new RegExp(`\`[^\`]*\\b${name}\\b`));
  });

  it.each(exported)("$name has a docstring", ({ name, source }) => {
    const declaration = `\\*/\\nexport (?:async )?(?:class|function|interface|type) ${name}\\b`;
    expect(readText(source)).toMatch(new RegExp(declaration));
  });
});
