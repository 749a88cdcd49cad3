// Lets an older Node import TypeScript: it strips the types, file by file, and checks nothing.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import ts from "typescript-5.9";

const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };

export async function load(url, context, next) {
  if (!url.endsWith(".ts")) return next(url, context);
  const text = await readFile(fileURLToPath(url), "utf8");
  const { outputText } = ts.transpileModule(text, { compilerOptions });
  return { format: "module", source: outputText, shortCircuit: true };
}
