import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { brokenLinks, relativeLinks } from "../docs/links.ts";
import { ROOT, readText } from "../docs/markdown.ts";
import { documentationPages } from "../docs/pages.ts";

const work = mkdtempSync(join(tmpdir(), "tarball-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe("the pages of the unpacked tarball", () => {
  const unpacked = unpack(pack(ROOT));
  const pages = [
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "examples/README.md",
    "examples/production/README.md",
  ];
  const docs = documentationPages(unpacked);

  it("include every page of docs", () => {
    expect(docs).toEqual(documentationPages());
  });

  it.each([...pages, ...docs])("%s is included, and its relative links and anchors are valid", (page) => {
    expect(brokenLinks(unpacked, page)).toEqual([]);
  });

  it("are checked for all kinds of links", () => {
    const text =
      '[a](a.md) [b](b.md#c "d")\n[e]: f.md\n<img src="g.png"> <source srcset="n.svg"> `[h](i.md)`\n```md\n[j](k.md)\n```\n[l](https://m)\n';
    expect(relativeLinks(text)).toEqual(["a.md", "b.md#c", "f.md", "g.png", "n.svg"]);
    expect(relativeLinks(readText("README.md")).length).toBeGreaterThan(30);
  });

  it("come with the examples that they link to", () => {
    const examples = readdirSync(`${ROOT}examples`, { withFileTypes: true }).filter((each) => each.isDirectory());
    const paths = examples.flatMap(({ name }) =>
      readdirSync(`${ROOT}examples/${name}`).map((file) => `${name}/${file}`),
    );
    const leftover = /\/(node_modules|package-lock\.json|\.env|[^/]+\.db(-\w+)?)$/;
    expect(paths).toEqual(expect.arrayContaining(["demo/package.json", "production/Dockerfile"]));
    for (const path of paths) expect(existsSync(`${unpacked}examples/${path}`), path).toBe(!leftover.test(path));
  });

  it("come with the dashboard and the alert rules", () => {
    for (const path of [
      "observability/grafana-dashboard.json",
      "observability/prometheus-alerts.yml",
      "examples/observability/fast-alerts.yml",
    ])
      expect(existsSync(unpacked + path)).toBe(true);
  });
});

describe("the examples in the tarball", () => {
  it("come without node_modules, lock files and other leftovers", () => {
    const folder = join(work, "copy/");
    const example = join(folder, "examples/express");
    cpSync(`${ROOT}package.json`, join(folder, "package.json"));
    cpSync(`${ROOT}examples`, join(folder, "examples"), { recursive: true });
    mkdirSync(join(example, "node_modules/express"), { recursive: true });
    for (const name of ["node_modules/express/package.json", "node_modules/express/app.mjs", "package-lock.json"]) {
      writeFileSync(join(example, name), "{}");
    }
    writeFileSync(join(example, ".env"), "BLUUM_WEBHOOK_SECRET=a secret of 16 bytes or more");

    const paths = readdirSync(unpack(pack(folder)), { recursive: true }).map(String);
    const shipped = paths.filter((path) => path.startsWith("examples/express/")).toSorted();
    expect(shipped).toEqual(
      [".env.example", "app.mjs", "env.mjs", "package.json"].map((name) => `examples/express/${name}`),
    );
  });
});

describe("the manifest in the tarball", () => {
  const manifest = JSON.parse(readText("package.json"));

  it("can be imported by its name", () => {
    const script = `console.log(require("bluum-webhooks/package.json").name)`;
    expect(execFileSync(process.execPath, ["-e", script], { cwd: ROOT, encoding: "utf8" })).toBe("bluum-webhooks\n");
  });

  it("names the repository, the bug tracker and the home page", () => {
    const place = "https://github.com/bluum-webhooks/bluum-webhooks";
    expect(manifest.repository).toEqual({ type: "git", url: `git+${place}.git` });
    expect(manifest.bugs).toEqual({ url: `${place}/issues` });
    expect(manifest.homepage).toBe(`${place}#readme`);
  });
});

/** Packs a folder. Without `prepack`, which would remove `dist` while other tests use it. */
function pack(folder: string): string {
  const target = mkdtempSync(join(work, "pack-"));
  const args = ["pack", "--json", "--silent", "--ignore-scripts", "--pack-destination", target];
  const [{ filename }] = JSON.parse(execFileSync("npm", args, { cwd: folder, encoding: "utf8" }));
  return join(target, filename);
}

/** Unpacks a tarball, and returns the folder of the package in it, with a slash at its end. */
function unpack(tarball: string): string {
  const folder = mkdtempSync(join(work, "unpacked-"));
  execFileSync("tar", ["-xzf", tarball, "-C", folder]);
  return join(folder, "package/");
}
