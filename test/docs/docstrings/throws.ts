import { relative } from "node:path";
import ts from "typescript-5.9";
import { ROOT } from "../markdown.ts";

/**
 * Whether functions can throw, decided from the sources alone. A function throws if its body, without the functions nested in it,
 * has a `throw`, or a call of a function of these sources that throws. The checks of `src/options.ts` throw. Not counted: the block of a
 * `try` with a `catch`, a promise whose `catch` is called at once, and a call whose implementation the types do not name, such as that
 * of a store's method. Rejecting counts as throwing.
 */
export class Throwing {
  readonly #checker: ts.TypeChecker;
  readonly #known = new Map<ts.Node, string | undefined>();

  constructor(program: ts.Program) {
    this.#checker = program.getTypeChecker();
  }

  /** Why a function throws: the way to the `throw`, or undefined. */
  reason(declaration: ts.SignatureDeclaration | ts.ClassElement): string | undefined {
    if (this.#known.has(declaration)) return this.#known.get(declaration);
    this.#known.set(declaration, undefined); // Ends recursion.
    const { body } = declaration as { body?: ts.Node };
    const reason = body && this.#inBody(body);
    this.#known.set(declaration, reason);
    return reason;
  }

  #inBody(node: ts.Node): string | undefined {
    if (ts.isThrowStatement(node)) return node.getText().split("\n")[0];
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return undefined;
    if (ts.isTryStatement(node) && node.catchClause)
      return this.#inBody(node.catchClause.block) ?? (node.finallyBlock && this.#inBody(node.finallyBlock));
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      if (isCaught(node)) return undefined;
      const reason = this.#inCall(node);
      if (reason) return reason;
    }
    return ts.forEachChild(node, (child) => this.#inBody(child));
  }

  #inCall(call: ts.CallExpression | ts.NewExpression): string | undefined {
    const declaration = this.#checker.getResolvedSignature(call)?.getDeclaration() as
      | ts.SignatureDeclaration
      | undefined;
    if (declaration === undefined) return undefined;
    const file = relative(ROOT, declaration.getSourceFile().fileName);
    if (file.startsWith("node_modules")) return undefined;
    const callee = call.expression.getText();
    if (file === "src/options.ts" && ts.isMethodSignature(declaration))
      return declaration.name.getText() === "invalid" ? undefined : callee;
    const reason = this.reason(declaration);
    return reason && `${callee}: ${reason}`;
  }
}

/** `promise.catch(…)`. */
function isCaught({ expression }: ts.CallExpression | ts.NewExpression): boolean {
  return ts.isPropertyAccessExpression(expression) && expression.name.text === "catch";
}
