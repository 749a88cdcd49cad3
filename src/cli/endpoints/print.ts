import type { BluumWebhook, EnsuredWebhook } from "../../client/index.ts";
import type { KeptSecret } from "../new-secret.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";
import { table } from "../table.ts";

/** Longer than any secret, which is of no use where some of it is missing. */
const MAX_SECRET_CHARACTERS = 8_192;

/** Tells all endpoints. */
export function tellEndpoints(webhooks: readonly BluumWebhook[], output: Output): void {
  if (output.json) output.record({ webhooks: webhooks.map(fieldsOf) });
  else output.line(webhooks.length === 0 ? "There are none." : tableOf(webhooks, output));
}

function tableOf(webhooks: readonly BluumWebhook[], output: Output): string {
  const rows = webhooks.map(({ id, status = "", url, eventTypeNames, name = "" }) => {
    return [printable(id), printable(status).toLowerCase(), printable(url), eventsOf(eventTypeNames), printable(name)];
  });
  return table(["id", "status", "url", "events", "name"], rows, output);
}

/** Tells what was done to one endpoint; of a new one, where its secret is. */
export function tellOne(action: string, webhook: BluumWebhook, output: Output, place?: KeptSecret): void {
  if (output.json) output.record({ action, webhook: fieldsOf(webhook), ...secretFields(webhook, place) });
  else for (const line of linesOf(action, webhook, place)) output.line(line);
}

function* linesOf(action: string, webhook: BluumWebhook, place: KeptSecret | undefined): Iterable<string> {
  const { id, url, name = "", status = "", eventTypeNames } = webhook;
  yield `${action}  ${printable(id)}  ${printable(url)}`;
  yield `  name    ${printable(name)}`;
  yield `  status  ${printable(status).toLowerCase()}`;
  yield `  events  ${eventsOf(eventTypeNames)}`;
  if (place !== undefined) yield `  secret  ${secretLine(webhook, place)}`;
}

/** Tells what `ensure` found and did. */
export function tellEnsured(ensured: EnsuredWebhook, output: Output, place: KeptSecret): void {
  const { action, changed, webhook, duplicates } = ensured;
  const itsPlace = action === "created" ? place : undefined;
  if (output.json) {
    const others = duplicates.map(fieldsOf);
    output.record({
      action,
      changed,
      webhook: fieldsOf(webhook),
      duplicates: others,
      ...secretFields(webhook, itsPlace),
    });
  } else {
    tellOne(changed.length > 0 ? `${action} (${changed.join(", ")})` : action, webhook, output, itsPlace);
  }
  for (const { id } of duplicates) {
    output.note(
      `${printable(id)} has the same URL, so that Bluum delivers there once more; delete it unless that is meant.`,
    );
  }
}

/**
 * Where a secret could not be saved, prints it to the error output as well, in case the other one goes nowhere, and ends the
 * command.
 *
 * @throws CommandFailed `secret_not_saved`
 */
export function tellUnsaved({ secret = "" }: BluumWebhook, { failure }: KeptSecret, output: Output): void {
  if (failure === undefined) return;
  output.note(`the secret is ${printable(secret, MAX_SECRET_CHARACTERS)}`);
  throw failure;
}

/** Without the secret and without what is not documented, which might be one. */
function fieldsOf({ raw: _raw, secret: _secret, ...fields }: BluumWebhook): object {
  return fields;
}

function secretFields({ secret }: BluumWebhook, place: KeptSecret | undefined): object {
  if (place === undefined || secret === undefined) return {};
  return place.file === undefined ? { secret } : { secretFile: place.file };
}

function secretLine({ secret }: BluumWebhook, { file }: KeptSecret): string {
  if (secret === undefined) return "Bluum's answer had none; look for it where Bluum shows your webhooks";
  return file === undefined
    ? `${printable(secret, MAX_SECRET_CHARACTERS)}  keep it: Bluum may not show it again`
    : `written to ${printable(file)}`;
}

function eventsOf(names: readonly string[]): string {
  return printable(names.join(", "), 400);
}
