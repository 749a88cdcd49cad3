declare module "*/walls.mjs" {
  /** Each room of src, and the rooms that it may import. */
  export const ROOMS: Readonly<Record<string, readonly string[]>>;
  export const generated: string;
}
