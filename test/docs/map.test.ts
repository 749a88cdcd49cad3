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

function filesIn(folder: string): string[] {
  return readdirSync(ROOT + folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(ROOT.length));
}

describe("the map in CONTRIBUTING.md", () => {
  const [map, beside] = codeBlocks("CONTRIBUTING.md")
    .filter(({ language }) => language === "text")
    .map(({ code }) => placesOf(code));
  const files = (map ?? []).filter(({ path }) => !path.endsWith("/"));

  it("has a line for each file of src and adapters, and none for what is not there", () => {
    expect(files.map(({ path }) => path).sort()).toEqual([...filesIn("src"), ...filesIn("adapters")].sort());
  });

  it("says of each file what it is", () => {
    expect(files.filter(({ says }) => says === "")).toEqual([]);
  });

  it("names folders beside them that are there", () => {
    expect(beside?.map(({ path }) => path)).toContain("examples/");
    expect((beside ?? []).filter(({ path, says }) => says === "" || !existsSync(ROOT + path))).toEqual([]);
  });
});

describe("the map in README.md", () => {
  const [tree] = codeBlocks("README.md").filter(({ code }) => code.startsWith("src/"));
  const places = placesOf(tree?.code ?? "");

  it("names what is there", () => {
    expect(places.filter(({ path }) => !existsSync(ROOT + path))).toEqual([]);
  });

  it("leaves no room of src out", () => {
    const rooms = readdirSync(`${ROOT}src`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const named = places.map(({ path }) => path);
    expect(rooms.map(({ name }) => `src/${name}/`).filter((room) => !named.includes(room))).toEqual([]);
  });
});
