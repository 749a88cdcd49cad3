import type { Inbox } from "../../inbox/inbox.ts";
import { WebhookError } from "../../index.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";
import { openInbox } from "./open.ts";
import { type InboxOptions, type InboxPlace, placeOf } from "./options.ts";

/**
 * Calls a function with the inbox of the options, and closes it.
 *
 * @throws CommandFailed for wrong options and for each failure of the backend; the message does not contain the URL's password
 */
export async function withInbox<T>(
  options: InboxOptions,
  { env }: Terminal,
  work: (inbox: Inbox) => Promise<T>,
): Promise<T> {
  const place = placeOf(options, env);
  try {
    const { inbox, close } = await openInbox(place);
    try {
      return await work(inbox);
    } finally {
      await close().catch(() => {});
    }
  } catch (error) {
    throw failureOf(error, place);
  }
}

function failureOf(thrown: unknown, place: InboxPlace): CommandFailed {
  if (thrown instanceof CommandFailed) {
    const { exitCode, code, mayHaveHappened } = thrown;
    return new CommandFailed(withoutPassword(thrown.message, place), exitCode, { code, mayHaveHappened });
  }
  const message = thrown instanceof Error ? thrown.message || String(Object(thrown).code) : String(thrown);
  const isUsage = thrown instanceof WebhookError && thrown.code === "configuration_invalid";
  const text = `--${place.engine}: ${printable(withoutPassword(message, place), 1_000)}`;
  return isUsage ? new CommandFailed(text, EXIT.usage) : new CommandFailed(text, EXIT.failed, { code: "inbox_failed" });
}

/** A text without the password of the URL: drivers may print what they were given. */
function withoutPassword(text: string, place: InboxPlace): string {
  if (place.engine === "sqlite") return text;
  const { password, searchParams } = new URL(place.url);
  const forms = [password, decoded(password), ...searchParams.getAll("password")];
  return forms.filter((form) => form !== "").reduce((left, form) => left.replaceAll(form, "…"), text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
