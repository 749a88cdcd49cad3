import type { BluumEventType } from "../client/index.ts";
import { KNOWN_EVENT_TYPES } from "../index.ts";

/** A TypeScript file that adds event names to the package's types. */
export interface EventMapFile {
  readonly text: string;
  /** Invalid names, which are not in the file. */
  readonly leftOut: readonly string[];
}

/**
 * Creates the file that adds the names of the live catalogue which this package does not list to `event.type`. The server's
 * answer is not trusted: names have letters, digits, `_`, `-` and dots only, and descriptions lose all characters that could end
 * a comment or form a compiler directive.
 */
export function eventMapFile(eventTypes: readonly BluumEventType[]): EventMapFile {
  const known: readonly string[] = KNOWN_EVENT_TYPES;
  const missing = eventTypes.filter(({ name }) => !known.includes(name));
  const named = missing.filter(({ name }) => NAME.test(name));
  const leftOut = missing.filter((type) => !named.includes(type)).map(({ name }) => name);
  const entries = named.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(entryOf);
  return { text: `${HEAD}\n${entries.length > 0 ? block(entries) : NO_ENTRIES}`, leftOut };
}

const NAME = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;

const HEAD = `// Printed by "bluum-webhooks event-types --typescript" from the live catalogue. Do not edit it; print it again.
// It can have any name, as long as your tsconfig.json includes it.`;

const NO_ENTRIES = `// The package lists every event of the catalogue.
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
  const comment = inComment(description);
  return `${comment === "" ? "" : `    /** ${comment} */\n`}    "${name}": ${dataOf(name)};\n`;
}

/** The type of `data`: that of a documented event with the same prefix, `order.` for `order.expired`, else any object. */
function dataOf(name: string): string {
  const prefixOf = (type: string) => type.slice(0, type.lastIndexOf(".") + 1);
  const similar = KNOWN_EVENT_TYPES.find((known) => prefixOf(known) === prefixOf(name));
  return similar === undefined ? "Record<string, unknown>" : `BluumCatalogue["${similar}"]`;
}

const MAX_CHARACTERS = 200;

/** A description without the characters that are unsafe in a comment. */
function inComment(description: string): string {
  return description
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .replace(/[*/@{}\\]/g, "")
    .slice(0, MAX_CHARACTERS)
    .trim();
}
