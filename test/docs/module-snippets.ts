import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript-5.9";

const ROOT = join(import.meta.dirname, "../..");

/** The TypeScript snippets of a page, in order. */
export function snippetsOf(page: string): string[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code as string);
}

/** Runs a snippet that imports only types, and returns its exports. */
export async function exportsOf(snippet: string): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), "snippet-"));
  const file = join(folder, "snippet.mjs");
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  try {
    writeFileSync(file, ts.transpileModule(snippet, { compilerOptions }).outputText);
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The compiler's errors about a snippet, in a strict project with this package. */
export function complaintsAbout(snippet: string): string[] {
  const name = join(ROOT, "test/docs/snippet.ts");
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules/@types")],
    paths: { "bluum-webhooks": [join(ROOT, "src/index.ts")] },
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (file) => file === name || fileExists(file);
  host.getSourceFile = (file, version, ...rest) =>
    file === name ? ts.createSourceFile(file, snippet, version) : getSourceFile(file, version, ...rest);
  const program = ts.createProgram([name], options, host);
  return ts
    .getPreEmitDiagnostics(program, program.getSourceFile(name))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}
