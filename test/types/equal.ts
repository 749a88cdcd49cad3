/** True if two types are identical, not only assignable to each other. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only if the statement is true. */
export declare function expectType<_Statement extends true>(): void;

/** Accepts any value: reading a property is the test. */
export declare function use(...values: unknown[]): void;
