import { readdirSync } from "node:fs";
import ts from "typescript-5.9";
import { describe, expect, it } from "vitest";
import { ROOT, readText } from "../docs/markdown.ts";

/** Where a file asks whether tests run in full, outside of a case or a suite with the options `inFull`. */
function untagged(path: string): string[] {
  const source = ts.createSourceFile(path, readText(path), ts.ScriptTarget.ES2022, true);
  const found: string[] = [];
  const visit = (node: ts.Node, tagged: boolean): void => {
    if (ts.isImportDeclaration(node)) return;
    const isTagged = tagged || (ts.isCallExpression(node) && node.arguments.some(isInFull));
    // A constant of a suite is used by its cases.
    const isConstant = ts.findAncestor(node, ts.isVariableStatement) !== undefined && /\binFull,/.test(source.text);
    if (!isTagged && !isConstant && asks(node)) found.push(lineOf(node));
    node.forEachChild((child) => visit(child, isTagged));
  };
  const lineOf = (node: ts.Node) =>
    `${path}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${node.parent.getText()}`;
  visit(source, false);
  return found;
}

function asks(node: ts.Node): boolean {
  if (!ts.isIdentifier(node)) return false;
  if (node.text === "exhaustive") return true;
  return node.text === "runs" && ts.isCallExpression(node.parent) && node.parent.expression === node;
}

function isInFull(argument: ts.Expression): boolean {
  return !ts.isFunctionLike(argument) && /\binFull\b/.test(argument.getText());
}

describe("npm run test:exhaustive", () => {
  const files = readdirSync(`${ROOT}test`, { recursive: true })
    .map((path) => `test/${path}`)
    .filter((path) => path.endsWith(".ts") && readText(path).includes('/exhaustive.ts"'));

  it("has every case that EXHAUSTIVE=true makes larger", () => {
    expect(files.length).toBeGreaterThan(30);
    expect(files.flatMap(untagged)).toEqual([]);
  });
});
