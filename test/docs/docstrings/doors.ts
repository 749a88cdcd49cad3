import { join } from "node:path";
import ts from "typescript-5.9";
import { ROOT, readText } from "../markdown.ts";

/** An entry point of the package. */
export interface Door {
  /** The name to import: `bluum-webhooks/koa`. */
  readonly name: string;
  /** Its source, from the root: `adapters/koa.ts`. */
  readonly source: string;
}

/** An export of a door, with its declarations in this repository. */
export interface Export {
  readonly door: Door;
  readonly name: string;
  readonly declarations: readonly ts.Declaration[];
}

/** The entry points that `package.json` names. */
export const DOORS: readonly Door[] = Object.entries<string>(JSON.parse(readText("package.json")).exports)
  .filter(([path]) => path !== "./package.json")
  .map(([path, target]) => ({
    name: `bluum-webhooks${path.slice(1)}`,
    source: target.replace("./dist/", "").replace(/\.js$/, ".ts"),
  }));

/** The options of the examples' and the sources' compiler: those of the package, and its name means its sources. */
const OPTIONS: ts.CompilerOptions = {
  ...{ module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, lib: ["lib.es2023.d.ts"], types: ["node"] },
  ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: true },
  ...{ noEmit: true, allowImportingTsExtensions: true, esModuleInterop: true, experimentalDecorators: true },
  typeRoots: [join(ROOT, "node_modules/@types")],
  paths: {
    ...Object.fromEntries(DOORS.map(({ name, source }) => [name, [join(ROOT, source)]])),
    "pg-boss": [join(ROOT, "node_modules/pg-boss10/types.d.ts")],
  },
};

/** A program of files, of which some may be given as text, by their paths from the root. */
export function programOf(paths: readonly string[], texts: Readonly<Record<string, string>> = {}): ts.Program {
  const files = new Map(Object.entries(texts).map(([path, text]) => [join(ROOT, path), text]));
  const host = ts.createCompilerHost(OPTIONS);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.getSourceFile = (name, version, ...rest) => {
    const text = files.get(name);
    return text === undefined ? getSourceFile(name, version, ...rest) : ts.createSourceFile(name, text, version, true);
  };
  return ts.createProgram(
    [...paths, ...Object.keys(texts)].map((path) => join(ROOT, path)),
    OPTIONS,
    host,
  );
}

/** What a program's doors export. */
export function exportsOf(program: ts.Program, doors: readonly Door[]): Export[] {
  const checker = program.getTypeChecker();
  return doors.flatMap((door) => {
    const file = program.getSourceFile(join(ROOT, door.source));
    const symbol = file && checker.getSymbolAtLocation(file);
    if (symbol === undefined) throw new Error(`${door.source} is no module`);
    return checker.getExportsOfModule(symbol).map((exported) => ({
      door,
      name: exported.name,
      declarations: target(checker, exported).declarations ?? [],
    }));
  });
}

function target(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}
