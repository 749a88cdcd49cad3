/** A framework whose adapter is tested with the real thing. */
export interface Framework {
  readonly name: string;
  readonly package: string;
  readonly door: string;
}
export const FRAMEWORKS: readonly Framework[];
