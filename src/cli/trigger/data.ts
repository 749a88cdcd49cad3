import { readFile } from "node:fs/promises";
import { CommandFailed, EXIT } from "../exit.ts";

/**
 * The fields that `--data` gives: JSON itself where the text begins with a brace, else a file of it.
 *
 * @throws CommandFailed `usage`; the message holds nothing of the data
 */
export async function dataOf(text: string | undefined): Promise<Readonly<Record<string, unknown>>> {
  if (text === undefined) return {};
  const inline = text.trimStart().startsWith("{");
  let data: unknown;
  try {
    data = JSON.parse(inline ? text : await readFile(text, "utf8"));
  } catch (cause) {
    const reason =
      cause instanceof SyntaxError ? "is not JSON" : `cannot be read (${(cause as NodeJS.ErrnoException).code})`;
    throw new CommandFailed(`--data${inline ? "" : ` ${text}`} ${reason}.`, EXIT.usage);
  }
  if (typeof data === "object" && data !== null && !Array.isArray(data)) return data as Record<string, unknown>;
  throw new CommandFailed("--data must be a JSON object, the fields of the event's data.", EXIT.usage);
}
