// A module hook: `typescript` is TypeScript 5.9 for those who import it.
export function resolve(specifier, context, nextResolve) {
  return nextResolve(specifier === "typescript" ? "typescript-5.9" : specifier, context);
}
