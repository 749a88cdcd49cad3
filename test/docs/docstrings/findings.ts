import ts from "typescript-5.9";
import { docstringOf, placeOf } from "./docstring.ts";
import { type Door, type Export, exportsOf } from "./doors.ts";
import { implementationsOf } from "./implementations.ts";
import { Throwing } from "./throws.ts";

/** The exports of a program's doors, and their declarations. A declaration that several doors export counts once. */
export class Docstrings {
  readonly #program: ts.Program;
  readonly #exports: readonly Export[];
  readonly #throwing: Throwing;

  constructor(program: ts.Program, doors: readonly Door[]) {
    this.#program = program;
    this.#exports = exportsOf(program, doors);
    this.#throwing = new Throwing(program);
  }

  get declarations(): readonly ts.Declaration[] {
    return [...new Set(this.#exports.flatMap(({ declarations }) => declarations))];
  }

  /** Exports without a docstring. */
  undocumented(): string[] {
    return this.#exports
      .filter(({ declarations }) => declarations.every((declaration) => docstringOf(declaration) === ""))
      .map(({ door, name }) => `${name} of ${door.name} has no docstring`);
  }

  /** Functions, constructors and methods that throw, without `@throws`. */
  undocumentedThrows(): string[] {
    const checker = this.#program.getTypeChecker();
    const own = this.declarations.flatMap(functionsIn).map((declaration) => [declaration, [declaration]] as const);
    const interfaces = this.declarations.filter(ts.isInterfaceDeclaration);
    const symbols = new Set(interfaces.flatMap(({ name }) => checker.getSymbolAtLocation(name) ?? []));
    const implemented = implementationsOf(this.#program, symbols).map(
      ({ method, implementation }) => [implementation, method.declarations ?? []] as const,
    );
    const findings = [...own, ...implemented].flatMap(([declaration, documented]) => {
      const reason = this.#throwing.reason(declaration);
      if (reason === undefined || documented.some((each) => overloads(each).some(saysThrows))) return [];
      return documented.slice(0, 1).map((each) => `${placeOf(each)} has no @throws: ${reason}`);
    });
    return [...new Set(findings)];
  }

  /** Parameters and properties in milliseconds or bytes that do not say so, and optional ones without a default. */
  withoutUnitOrDefault(): string[] {
    return this.declarations
      .flatMap(quantitiesIn)
      .flatMap((quantity) =>
        problemsOf(quantity).map((problem) => `${placeOf(quantity)} ${quantity.name.getText()} ${problem}`),
      );
  }
}

type Quantity = ts.ParameterDeclaration | ts.PropertySignature | ts.PropertyDeclaration;

function quantitiesIn(node: ts.Node): Quantity[] {
  if (ts.isBlock(node) || isPrivate(node)) return [];
  const isOne = ts.isParameter(node) || ts.isPropertySignature(node) || ts.isPropertyDeclaration(node);
  const nested: Quantity[] = [];
  ts.forEachChild(node, (child) => void nested.push(...quantitiesIn(child)));
  return isOne && /(Ms|Bytes)$/.test(node.name.getText()) ? [node, ...nested] : nested;
}

function problemsOf(quantity: Quantity): string[] {
  const docstring = docstringOfQuantity(quantity);
  const unit = /Ms$/.test(quantity.name.getText()) ? /milliseconds?\b/ : /\bbytes?\b|MiB/;
  const problems: string[] = [];
  if (!unit.test(docstring)) problems.push("has no unit");
  if (isOptional(quantity) && isInput(quantity) && !/default/i.test(docstring)) problems.push("has no default");
  return problems;
}

/** Its own docstring; or, of a parameter or a property of one, its `@param` in the function's, or else the text before the tags. */
function docstringOfQuantity(quantity: Quantity): string {
  const own = docstringOf(quantity);
  const parameter = ts.isParameter(quantity) ? quantity : ts.findAncestor(quantity, ts.isParameter);
  if (own !== "" || parameter === undefined) return own;
  const documented = ts.findAncestor(parameter.parent, (node) => docstringOf(node) !== "");
  const docstring = documented ? docstringOf(documented) : "";
  const tag = new RegExp(`@param (\\w+\\.)?${quantity.name.getText()}\\b([^@]|@default)*`).exec(docstring);
  return tag?.[0] ?? docstring.replace(/^@.*/ms, "");
}

function isOptional(quantity: Quantity): boolean {
  return quantity.questionToken !== undefined || (quantity as { initializer?: ts.Node }).initializer !== undefined;
}

/** Whether callers give it: a parameter, a property of one, or an option. Results have no defaults. */
function isInput(quantity: Quantity): boolean {
  if (ts.findAncestor(quantity, ts.isParameter)) return true;
  return ts.isInterfaceDeclaration(quantity.parent) && quantity.parent.name.text.endsWith("Options");
}

/** A function; or a class's constructor, methods and accessors. */
function functionsIn(declaration: ts.Declaration): (ts.SignatureDeclaration | ts.ClassElement)[] {
  if (ts.isFunctionDeclaration(declaration)) return [declaration];
  return ts.isClassDeclaration(declaration) ? declaration.members.filter((member) => !isPrivate(member)) : [];
}

function isPrivate(node: ts.Node): boolean {
  const { name } = node as ts.NamedDeclaration;
  return name !== undefined && ts.isPrivateIdentifier(name);
}

/** All declarations of an overloaded function or method: the docstring of one will do. */
function overloads(declaration: ts.Declaration): readonly ts.Declaration[] {
  const { symbol } = declaration as { symbol?: ts.Symbol };
  return symbol?.declarations ?? [declaration];
}

/** Or that it does not: a body cannot tell that a `throw` in it is out of reach. */
function saysThrows(declaration: ts.Declaration): boolean {
  return /@throws|never (rejects|throws)/i.test(docstringOf(declaration));
}
