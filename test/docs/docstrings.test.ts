import { describe, expect, it } from "vitest";
import { DOORS, type Door, programOf } from "./docstrings/doors.ts";
import { complaintsAboutExamples, examplesOf } from "./docstrings/examples.ts";
import { Docstrings } from "./docstrings/findings.ts";
import { readText } from "./markdown.ts";

describe("the docstrings of the package's doors", { timeout: 120_000 }, () => {
  const program = programOf(DOORS.map(({ source }) => source));
  const docstrings = new Docstrings(program, DOORS);
  const examples = examplesOf(program, DOORS);

  it("describe every export", () => {
    expect(docstrings.declarations.length).toBeGreaterThan(200);
    expect(docstrings.undocumented()).toEqual([]);
  });

  it("say what functions and methods throw", () => {
    expect(docstrings.undocumentedThrows()).toEqual([]);
  });

  it("give the unit of everything in milliseconds or bytes, and the default of an optional one", () => {
    expect(docstrings.withoutUnitOrDefault()).toEqual([]);
  });

  it.each(DOORS)("of $name begin with its name, its purpose and an example", ({ name, source }) => {
    const [opening = ""] = /^\/\*\*.*?\*\//s.exec(readText(source)) ?? [];
    expect(opening).toContain(`\n * @module ${name}\n`);
    expect(opening).toMatch(/^\/\*\*\n \* [A-Z].*\.\n/);
    expect(opening).toContain("\n * @example\n");
  });

  it("have examples that compile", () => {
    expect(examples.length).toBeGreaterThan(50);
    expect(complaintsAboutExamples(examples)).toEqual([]);
  });
});

describe("the checks of docstrings", { timeout: 60_000 }, () => {
  const text = `
    import { checksFor } from "../../src/options.ts";
    const checks = checksFor("mutant");
    export const undocumented = 1;
    /** Throws itself. */
    export function throwing(): void { throw new Error(); }
    /** Calls a check. */
    export function checking(n: number): void { helper(n); }
    function helper(n: number): void { checks.integer("n", n, 1); }
    /** Catches. */
    export async function catching(): Promise<void> {
      try { throwing(); } catch {}
      await rejecting().catch(() => {});
      [1].map(() => { throw new Error(); });
    }
    /** @throws always */
    export async function rejecting(): Promise<void> { throw new Error(); }
    /** An interface. */
    export interface Door {
      /** Opens. */
      open(): void;
      /** Closes. @throws if it is open */
      close(): void;
    }
    /** An object. */
    export const door: Door = { open: () => throwing(), close: () => throwing() };
    class Gate implements Door { open(): void { throwing(); } close(): void {} }
    /** Its class. */
    export const gate: Door = new Gate();
    /** Options. */
    export interface MutantOptions {
      /** How long. @default 1 */
      readonly oneMs?: number;
      /** How long, in milliseconds. */
      readonly twoMs?: number;
      /** How many bytes. @default 3 */
      readonly threeBytes?: number;
    }
    /** A result. */
    export interface Result {
      /** How long it took, in milliseconds. */
      readonly tookMs?: number;
    }
    /**
     * Waits.
     * @param ms how long, in milliseconds
     * @param options.graceMs how much longer
     */
    export function wait(ms: number, limitMs: number, options?: { readonly graceMs?: number }): void {}
    /**
     * Has an example.
     * @example
     * const answer: string = verifyMount("http://localhost", { secret });
     */
    export const example = 1;
  `;
  const mutant: Door = { name: "mutant", source: "test/docs/mutant.ts" };
  const program = programOf([], { [mutant.source]: text });
  const docstrings = new Docstrings(program, [mutant]);

  it("find an export without a docstring", () => {
    expect(docstrings.undocumented()).toEqual(["undocumented of mutant has no docstring"]);
  });

  it("find what throws by itself, through a helper, and in an implementation of an interface", () => {
    expect(docstrings.undocumentedThrows().map((finding) => finding.replace(/^\S+:\d+ /, ""))).toEqual([
      "has no @throws: throw new Error();",
      "has no @throws: helper: checks.integer",
      "has no @throws: throwing: throw new Error();",
    ]);
  });

  it("find missing units and defaults, of options and parameters but not of results", () => {
    expect(docstrings.withoutUnitOrDefault().map((finding) => finding.replace(/^\S+:\d+ /, ""))).toEqual([
      "limitMs has no unit",
      "graceMs has no unit",
      "graceMs has no default",
      "oneMs has no unit",
      "twoMs has no default",
    ]);
  });

  it("find an example that does not compile", () => {
    expect(complaintsAboutExamples(examplesOf(program, [mutant]))).toEqual([
      "test/docs/mutant.ts:53: Type 'Promise<MountReport>' is not assignable to type 'string'.",
    ]);
  });
});
