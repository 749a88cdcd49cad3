import { Command, Option } from "commander";
import { withAccountOptions, withClient } from "../account.ts";
import { changesOf, ENDPOINTS_HELP, type EndpointOptions } from "../endpoints/options.ts";
import { tellEndpoints, tellEnsured, tellOne, tellUnsaved } from "../endpoints/tell.ts";
import { placeForSecret, withNewSecretOptions } from "../new-secret.ts";
import { outputOf } from "../output.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";
import { safeUrlReader } from "../url.ts";

/** `endpoints`: the webhooks that are registered with Bluum. */
export function endpointsCommand(terminal: Terminal): Command {
  const command = new Command("endpoints")
    .summary("list, create, update, delete or ensure the endpoints that Bluum delivers to")
    .description("Manages the endpoints that are registered with Bluum, which calls them webhooks.")
    .addHelpText("after", ENDPOINTS_HELP);
  for (const make of [listCommand, createCommand, updateCommand, deleteCommand, ensureCommand]) {
    command.addCommand(withAccountOptions(make(terminal)));
  }
  return command;
}

function listCommand(terminal: Terminal): Command {
  const command = new Command("list").description("Lists all endpoints.").addHelpText("after", example("list --json"));
  return command.action(async (options: EndpointOptions) => {
    const { signal } = terminal;
    const webhooks = await withClient(options, terminal, (client) => client.webhooks.list({ signal }));
    tellEndpoints(webhooks, outputOf(command, terminal));
  });
}

function createCommand(terminal: Terminal): Command {
  const command = new Command("create")
    .description("Registers an endpoint, even where there is one of its URL; see ensure.")
    .requiredOption("--name <name>", "what people call it")
    .addHelpText("after", example("create --name orders --url https://example.com/hook --event 'order.*'"));
  withNewSecretOptions(withEndpointOptions(command, true));
  return command.action(async (options: EndpointOptions & { url: string; name: string }) => {
    const place = await placeForSecret(options, terminal, "refused");
    const { url, name, event: eventTypeNames = [], description } = options;
    const fields = { url, name, eventTypeNames, description };
    const { signal } = terminal;
    const webhook = await withClient(options, terminal, ({ webhooks }) => webhooks.create(fields, { signal }));
    const kept = await place.keep(webhook.secret);
    const output = outputOf(command, terminal);
    tellOne("created", webhook, output, kept);
    tellUnsaved(webhook, kept, output);
  });
}

function updateCommand(terminal: Terminal): Command {
  const command = new Command("update")
    .description("Changes an endpoint; what is not given stays.")
    .argument("<id>", "the endpoint's id, such as wh_1")
    .option("--name <name>", "what people call it")
    .addOption(new Option("--status <status>", "whether it gets deliveries").choices(["active", "inactive"]))
    .addHelpText("after", example("update wh_1 --status inactive"));
  withEndpointOptions(command, false);
  return command.action(async (id: string, options: EndpointOptions) => {
    const { signal } = terminal;
    const webhook = await withClient(options, terminal, ({ webhooks }) =>
      webhooks.update(id, changesOf(options), { signal }),
    );
    tellOne("updated", webhook, outputOf(command, terminal));
  });
}

function deleteCommand(terminal: Terminal): Command {
  const command = new Command("delete")
    .description("Removes an endpoint. Bluum delivers nothing to it any more.")
    .argument("<id>", "the endpoint's id, such as wh_1")
    .addHelpText("after", example("delete wh_1"));
  return command.action(async (id: string, options: EndpointOptions) => {
    const { signal } = terminal;
    await withClient(options, terminal, ({ webhooks }) => webhooks.delete(id, { signal }));
    const output = outputOf(command, terminal);
    if (output.json) output.record({ action: "deleted", id });
    else output.line(`deleted  ${printable(id)}`);
  });
}

function ensureCommand(terminal: Terminal): Command {
  const command = new Command("ensure")
    .description(
      "Makes sure that there is an active endpoint of a URL with exactly these subscriptions: creates it, changes what differs, or does nothing, and says which. It may run at every deployment.",
    )
    .option("--name <name>", "what people call it (default: its host and path, for a new one)")
    .option("--keep-inactive", "leave an inactive endpoint inactive")
    .addHelpText("after", example("ensure --url https://example.com/hook --event 'order.*' 'transfer.*'"));
  withNewSecretOptions(withEndpointOptions(command, true));
  return command.action(async (options: EndpointOptions & { url: string }) => {
    const place = await placeForSecret(options, terminal, "left");
    const { url, name, event: eventTypeNames = [], description, keepInactive = false } = options;
    const fields = { url, name, eventTypeNames, description, activate: !keepInactive };
    const { signal } = terminal;
    const ensured = await withClient(options, terminal, ({ webhooks }) => webhooks.ensure(fields, { signal }));
    const kept = await place.keep(ensured.action === "created" ? ensured.webhook.secret : undefined);
    const output = outputOf(command, terminal);
    tellEnsured(ensured, output, kept);
    tellUnsaved(ensured.webhook, kept, output);
  });
}

function example(args: string): string {
  return `\nExample:\n  $ bluum-webhooks endpoints ${args}`;
}

function withEndpointOptions(command: Command, required: boolean): Command {
  const url = new Option("--url <url>", "where deliveries go: https://, or http:// on this machine").argParser(
    (text) => safeUrlReader("--url")(text).href,
  );
  const event = new Option("--event <pattern...>", "what to subscribe to, such as order.filled or 'transfer.*'");
  return command
    .addOption(url.makeOptionMandatory(required))
    .addOption(event.makeOptionMandatory(required))
    .option("--description <text>", "what it is for");
}
