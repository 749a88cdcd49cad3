import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { codeBlocks, ROOT } from "./markdown.ts";

/** One line of a map. */
interface Place {
  readonly path: string;
  readonly says: string;
}

/** The lines of an indented tree, each as a whole path and what is said of it. */
function placesOf(tree: string): Place[] {
  const parents: string[] = [];
  return tree
    .trimEnd()
    .split("\n")
    .map((line) => {
      const { indent = "", name = "", says = "" } = /^(?<indent> *)(?<name>\S+) *(?<says>.*)$/.exec(line)?.groups ?? {};
      parents.length = indent.length / 2;
      const path = parents.join("") + name;
      if (name.endsWith("/")) parents.push(name);
      return { path, says };
    });
}

describe("the rooms in CONTRIBUTING.md", () => {
  const [map] = codeBlocks("CONTRIBUTING.md").filter(({ code }) => code.startsWith("src/"));
  const places = placesOf(map?.code ?? "");

  it("exist, and each has a description", () => {
    expect(places.length).toBeGreaterThan(10);
    expect(places.filter(({ path, says }) => says === "" || !existsSync(ROOT + path))).toEqual([]);
  });

  it("are all rooms of src", () => {
    const rooms = readdirSync(`${ROOT}src`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const named = places.map(({ path }) => path);
    expect(rooms.map(({ name }) => `src/${name}/`).filter((room) => !named.includes(room))).toEqual([]);
  });
});
