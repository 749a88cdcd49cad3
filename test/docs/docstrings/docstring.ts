import { relative } from "node:path";
import ts from "typescript-5.9";
import { ROOT } from "../markdown.ts";

/** The docstring of a declaration: its text with its tags, or `""`. */
export function docstringOf(declaration: ts.Node): string {
  // Those of a variable stand above its statement.
  const owner = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  const docs = ts.getJSDocCommentsAndTags(owner).filter(ts.isJSDoc);
  return docs.map((doc) => plain(doc.getText())).join("\n");
}

/** Where a node is: `src/index.ts:12`. */
export function placeOf(node: ts.Node): string {
  const file = node.getSourceFile();
  return `${relative(ROOT, file.fileName)}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
}

/** A comment without its stars. */
function plain(comment: string): string {
  return comment
    .replace(/^\/\*\*|\*\/$/g, "")
    .replace(/^[ \t]*\* ?/gm, "")
    .trim();
}
