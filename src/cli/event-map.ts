import type { BluumEventType } from "../client/index.ts";
import { KNOWN_EVENT_TYPES } from "../index.ts";

/** A TypeScript file that merges event names into the package's types. */
export interface EventMapFile {
  readonly text: string;
  /** Names that no event can be compared with, or that could be more than a name. They are not in the file. */
  readonly leftOut: readonly string[];
}

/**
 * Makes the file that teaches `event.type` the names of the live catalogue which this package does not list. What the server
 * sends is untrusted: only names of letters, digits, `_`, `-` and dots get in, and of a description what cannot end a comment or
 * be an order to the compiler.
 */
export function eventMapFile(eventTypes: readonly BluumEventType[]): EventMapFile {
  const known: readonly string[] = KNOWN_EVENT_TYPES;
  const missing = eventTypes.filter(({ name }) => !known.includes(name));
  const named = missing.filter(({ name }) => NAME.test(name));
  const leftOut = missing.filter((type) => !named.includes(type)).map(({ name }) => name);
  const entries = named.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(entryOf);
  return { text: `${HEAD}\n${entries.length > 0 ? block(entries) : NOTHING_NEW}`, leftOut };
}

const NAME = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;

const HEAD = `// Printed by "bluum-webhooks event-types --typescript" from the live catalogue. Print it anew rather than edit it.
// Any file name will do, as long as your tsconfig.json includes it.`;

const NOTHING_NEW = `// The package knows every event of the catalogue.
export {};
`;

function block(entries: readonly string[]): string {
  const text = entries.join("");
  const imported = text.includes("BluumCatalogue[") ? "{ BluumCatalogue }" : "{}";
  return `import type ${imported} from "bluum-webhooks";

declare module "bluum-webhooks" {
  interface BluumEventMap {
${text}  }
}
`;
}

function entryOf({ name, description = "" }: BluumEventType): string {
  const comment = harmless(description);
  return `${comment === "" ? "" : `    /** ${comment} */\n`}    "${name}": ${dataOf(name)};\n`;
}

/** The type of `data`: that of the documented events of the same family, `order.*` for `order.expired`; else any object. */
function dataOf(name: string): string {
  const family = name.slice(0, name.lastIndexOf(".") + 1);
  const relative = KNOWN_EVENT_TYPES.find((known) => known.slice(0, known.lastIndexOf(".") + 1) === family);
  return relative === undefined ? "Record<string, unknown>" : `BluumCatalogue["${relative}"]`;
}

const MAX_CHARACTERS = 200;

function harmless(description: string): string {
  return description
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .replace(/[*/@{}\\]/g, "")
    .slice(0, MAX_CHARACTERS)
    .trim();
}
