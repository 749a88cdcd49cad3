import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript-5.9";

const SRC = join(import.meta.dirname, "../../src");

/** The stores as JavaScript, in a folder of their own, for child processes that cannot load TypeScript. */
export function compileStores(): { readonly urlOf: (file: string) => string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "stores-compiled-"));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  mkdirSync(join(folder, "stores"));
  const files = ["errors.ts", ...readdirSync(join(SRC, "stores")).map((name) => join("stores", name))];
  for (const file of files) {
    const compilerOptions = {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      rewriteRelativeImportExtensions: true,
      verbatimModuleSyntax: true,
    };
    const { outputText } = ts.transpileModule(readFileSync(join(SRC, file), "utf8"), { compilerOptions });
    writeFileSync(join(folder, file.replace(/ts$/, "js")), outputText);
  }
  return {
    urlOf: (file) => pathToFileURL(join(folder, file)).href,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
