declare module "*/frameworks.mjs" {
  /** A framework whose adapter is tested with the real thing. */
  export interface Framework {
    readonly name: string;
    readonly package: string;
    readonly door: string;
  }
  export const FRAMEWORKS: readonly Framework[];
}

declare module "*/compatibility.mjs" {
  /** What was run, and in which version. */
  export interface Compatibility {
    readonly frameworks: readonly { readonly name: string; readonly version: string; readonly door: string }[];
    readonly runtimes: readonly { readonly name: string; readonly version: string; readonly doors: string }[];
    readonly typescript: readonly { readonly name: string; readonly version: string }[];
  }
  export const RECORD: string;
  export function compatibility(): Compatibility;
  export function tableOf(record: Compatibility): string;
  export function tableInPage(): string;
}

declare module "*/pins.mjs" {
  /** A runtime in one version. */
  export interface Runtime {
    readonly name: string;
    readonly package: string;
    readonly version: string;
    readonly prints?: string;
    readonly bin: string;
  }
  export const RUNTIMES: readonly Runtime[];
}

declare module "*/install.mjs" {
  export function installRuntime(runtime: object): Promise<string>;
}

declare module "*/command.mjs" {
  export function command(file: string, args: readonly string[], cwd: string): Promise<string>;
}
