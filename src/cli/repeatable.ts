/** Keeps all values of an option that may be given several times, in order. */
export function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}
