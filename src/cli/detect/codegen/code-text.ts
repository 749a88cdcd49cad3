/** A string literal for a program. Whatever a sender had in it, only printable ASCII is printed. */
export function literal(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A text as it stands in a regular expression between slashes. */
export function inPattern(text: string): string {
  return literal(text.replace(/[/\\^$.*+?()[\]{}|-]/g, "\\$&"))
    .slice(1, -1)
    .replaceAll("\\\\", "\\")
    .replaceAll('\\"', '"');
}

/** A text as it stands in a template literal. */
export function inTemplate(text: string): string {
  return literal(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("`", "\\`").replaceAll("${", "\\${");
}
