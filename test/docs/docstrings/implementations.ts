import ts from "typescript-5.9";

/** A method of an interface, with a function that implements it. */
export interface Implementation {
  readonly method: ts.Symbol;
  readonly implementation: ts.SignatureDeclaration;
}

/**
 * The implementations of some interfaces in a program: by classes that are declared to implement one, and by objects that are written
 * where one is expected.
 */
export function implementationsOf(program: ts.Program, interfaces: ReadonlySet<ts.Symbol>): Implementation[] {
  const checker = program.getTypeChecker();
  const found: Implementation[] = [];
  for (const file of program.getSourceFiles()) if (!file.isDeclarationFile) visit(file);
  return found;

  function visit(node: ts.Node): void {
    if (ts.isClassDeclaration(node))
      for (const type of implementedBy(node)) add(checker.getTypeAtLocation(type), node.members);
    if (ts.isObjectLiteralExpression(node)) add(checker.getContextualType(node), node.properties);
    ts.forEachChild(node, visit);
  }

  function add(type: ts.Type | undefined, members: readonly (ts.ClassElement | ts.ObjectLiteralElement)[]): void {
    if (type === undefined || !interfaces.has(type.aliasSymbol ?? type.symbol)) return;
    for (const member of members) {
      const method = member.name && type.getProperty(member.name.getText());
      const implementation = functionOf(member);
      if (method && implementation) found.push({ method, implementation });
    }
  }
}

function implementedBy(declaration: ts.ClassDeclaration): ts.Node[] {
  return (declaration.heritageClauses ?? [])
    .filter(({ token }) => token === ts.SyntaxKind.ImplementsKeyword)
    .flatMap(({ types }) => [...types]);
}

function functionOf(member: ts.Node): ts.SignatureDeclaration | undefined {
  const value = ts.isPropertyAssignment(member) || ts.isPropertyDeclaration(member) ? member.initializer : member;
  return value && ts.isFunctionLike(value) ? (value as ts.SignatureDeclaration) : undefined;
}
