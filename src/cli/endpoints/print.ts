import type { BluumWebhook, EnsuredWebhook } from "../../client/index.ts";
import type { SavedSecret } from "../new-secret.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";
import { table } from "../table.ts";

/** Longer than any secret: an incomplete secret is useless. */
const MAX_SECRET_CHARACTERS = 8_192;

/** Prints all endpoints. */
export function printEndpoints(webhooks: readonly BluumWebhook[], output: Output): void {
  if (output.json) output.record({ webhooks: webhooks.map(fieldsOf) });
  else output.line(webhooks.length === 0 ? "There are no endpoints." : tableOf(webhooks, output));
}

function tableOf(webhooks: readonly BluumWebhook[], output: Output): string {
  const rows = webhooks.map(({ id, status = "", url, eventTypeNames, name = "" }) => {
    return [printable(id), printable(status).toLowerCase(), printable(url), eventsOf(eventTypeNames), printable(name)];
  });
  return table(["id", "status", "url", "events", "name"], rows, output);
}

/** Prints the action on an endpoint and, for a new endpoint, its secret or the file with it. */
export function printEndpoint(action: string, webhook: BluumWebhook, output: Output, saved?: SavedSecret): void {
  if (output.json) output.record({ action, webhook: fieldsOf(webhook), ...secretFields(webhook, saved) });
  else for (const line of linesOf(action, webhook, saved)) output.line(line);
}

function* linesOf(action: string, webhook: BluumWebhook, saved: SavedSecret | undefined): Iterable<string> {
  const { id, url, name = "", status = "", eventTypeNames } = webhook;
  yield `${action}  ${printable(id)}  ${printable(url)}`;
  yield `  name    ${printable(name)}`;
  yield `  status  ${printable(status).toLowerCase()}`;
  yield `  events  ${eventsOf(eventTypeNames)}`;
  if (saved !== undefined) yield `  secret  ${secretLine(webhook, saved)}`;
}

/** Prints the result of `ensure`, and a note for each other endpoint with the same URL. */
export function printEnsured(ensured: EnsuredWebhook, output: Output, saved: SavedSecret): void {
  const { action, changed, webhook, duplicates } = ensured;
  const savedNew = action === "created" ? saved : undefined;
  if (output.json) {
    const fields = { action, changed, webhook: fieldsOf(webhook), duplicates: duplicates.map(fieldsOf) };
    output.record({ ...fields, ...secretFields(webhook, savedNew) });
  } else {
    printEndpoint(changed.length > 0 ? `${action} (${changed.join(", ")})` : action, webhook, output, savedNew);
  }
  for (const { id } of duplicates)
    output.note(`${printable(id)} has the same URL, so Bluum delivers each event there twice; delete one of them.`);
}

/**
 * If a secret could not be saved, prints it to stderr as well, in case stdout is discarded, and throws.
 *
 * @throws CommandFailed `secret_not_saved`
 */
export function throwIfNotSaved({ secret = "" }: BluumWebhook, { failure }: SavedSecret, output: Output): void {
  if (failure === undefined) return;
  output.note(`the secret is ${printable(secret, MAX_SECRET_CHARACTERS)}`);
  throw failure;
}

/** The documented fields without the secret. Undocumented ones are left out: they may contain the secret too. */
function fieldsOf({ raw: _raw, secret: _secret, ...fields }: BluumWebhook): object {
  return fields;
}

function secretFields({ secret }: BluumWebhook, saved: SavedSecret | undefined): object {
  if (saved === undefined || secret === undefined) return {};
  return saved.file === undefined ? { secret } : { secretFile: saved.file };
}

function secretLine({ secret }: BluumWebhook, { file }: SavedSecret): string {
  if (secret === undefined) return "Bluum's answer contains no secret; look for it in your webhook settings at Bluum";
  return file === undefined
    ? `${printable(secret, MAX_SECRET_CHARACTERS)}  keep it: Bluum may not show it again`
    : `written to ${printable(file)}`;
}

function eventsOf(names: readonly string[]): string {
  return printable(names.join(", "), 400);
}
