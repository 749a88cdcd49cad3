/** What was run, and in which version. */
export interface Compatibility {
  readonly frameworks: readonly { readonly name: string; readonly version: string; readonly door: string }[];
  readonly runtimes: readonly { readonly name: string; readonly version: string; readonly doors: string }[];
  readonly typescript: readonly { readonly name: string; readonly version: string }[];
}
export const RECORD: string;
export function compatibility(): Compatibility;
export function tableOf(record: Compatibility): string;
export function tableInReadme(): string;
