import { readFile } from "node:fs/promises";
import { CommandFailed, EXIT } from "../exit.ts";
import { isRecord } from "../json.ts";

/**
 * Parses the value of `--data`: a JSON object, or the path of a file with one.
 *
 * @throws CommandFailed `usage`; the message contains none of the data
 */
export async function parseData(text: string | undefined): Promise<Readonly<Record<string, unknown>>> {
  if (text === undefined) return {};
  const isInline = text.trimStart().startsWith("{");
  let data: unknown;
  try {
    data = JSON.parse(isInline ? text : await readFile(text, "utf8"));
  } catch (cause) {
    const reason =
      cause instanceof SyntaxError ? "is not JSON" : `cannot be read (${(cause as NodeJS.ErrnoException).code})`;
    throw new CommandFailed(`--data${isInline ? "" : ` ${text}`} ${reason}.`, EXIT.usage);
  }
  if (isRecord(data)) return data;
  throw new CommandFailed("--data must be a JSON object with fields of the event's data.", EXIT.usage);
}
