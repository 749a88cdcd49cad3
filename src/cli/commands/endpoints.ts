import { Command, Option } from "commander";
import { withApiOptions, withClient } from "../api-credentials.ts";
import { changesOf, ENDPOINTS_HELP, type EndpointOptions } from "../endpoints/options.ts";
import { printEndpoint, printEndpoints, printEnsured, throwIfNotSaved } from "../endpoints/print.ts";
import { secretDestination, withNewSecretOptions } from "../new-secret.ts";
import { outputOf } from "../output.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";
import { secureUrlParser } from "../url.ts";

/** `endpoints`: manages the webhooks that are registered with Bluum. */
export function endpointsCommand(terminal: Terminal): Command {
  const command = new Command("endpoints")
    .summary("list, create, update, delete or ensure the endpoints that Bluum delivers to")
    .description("Manages the endpoints that are registered with Bluum. Bluum calls them webhooks.")
    .addHelpText("after", ENDPOINTS_HELP);
  for (const make of [listCommand, createCommand, updateCommand, deleteCommand, ensureCommand]) {
    command.addCommand(withApiOptions(make(terminal)));
  }
  return command;
}

function listCommand(terminal: Terminal): Command {
  const command = new Command("list").description("Lists all endpoints.").addHelpText("after", example("list --json"));
  return command.action(async (options: EndpointOptions) => {
    const { signal } = terminal;
    const webhooks = await withClient(options, terminal, (client) => client.webhooks.list({ signal }));
    printEndpoints(webhooks, outputOf(command, terminal));
  });
}

function createCommand(terminal: Terminal): Command {
  const command = new Command("create")
    .description("Registers a new endpoint, even if another one has the same URL. To avoid that, use ensure.")
    .requiredOption("--name <name>", "a display name")
    .addHelpText("after", example("create --name orders --url https://example.com/hook --event 'order.*'"));
  withNewSecretOptions(withEndpointOptions(command, true));
  return command.action(async (options: EndpointOptions & { url: string; name: string }) => {
    const destination = await secretDestination(options, terminal, "refuse");
    const { url, name, event: eventTypeNames = [], description } = options;
    const fields = { url, name, eventTypeNames, description };
    const { signal } = terminal;
    const webhook = await withClient(options, terminal, ({ webhooks }) => webhooks.create(fields, { signal }));
    const saved = await destination.save(webhook.secret);
    const output = outputOf(command, terminal);
    printEndpoint("created", webhook, output, saved);
    throwIfNotSaved(webhook, saved, output);
  });
}

function updateCommand(terminal: Terminal): Command {
  const command = new Command("update")
    .description("Changes the given fields of an endpoint.")
    .argument("<id>", "the endpoint's id, such as wh_1")
    .option("--name <name>", "a display name")
    .addOption(new Option("--status <status>", "whether Bluum delivers to it").choices(["active", "inactive"]))
    .addHelpText("after", example("update wh_1 --status inactive"));
  withEndpointOptions(command, false);
  return command.action(async (id: string, options: EndpointOptions) => {
    const { signal } = terminal;
    const webhook = await withClient(options, terminal, ({ webhooks }) =>
      webhooks.update(id, changesOf(options), { signal }),
    );
    printEndpoint("updated", webhook, outputOf(command, terminal));
  });
}

function deleteCommand(terminal: Terminal): Command {
  const command = new Command("delete")
    .description("Deletes an endpoint. Bluum stops delivering to it.")
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
      "Makes sure that there is an active endpoint for a URL with exactly these subscriptions: creates it, changes the fields that differ, or does nothing, and prints which. It can run at every deployment.",
    )
    .option("--name <name>", "a display name (default for a new endpoint: host and path)")
    .option("--keep-inactive", "leave an inactive endpoint inactive")
    .addHelpText("after", example("ensure --url https://example.com/hook --event 'order.*' 'transfer.*'"));
  withNewSecretOptions(withEndpointOptions(command, true));
  return command.action(async (options: EndpointOptions & { url: string }) => {
    const destination = await secretDestination(options, terminal, "write_beside");
    const { url, name, event: eventTypeNames = [], description, keepInactive = false } = options;
    const fields = { url, name, eventTypeNames, description, activate: !keepInactive };
    const { signal } = terminal;
    const ensured = await withClient(options, terminal, ({ webhooks }) => webhooks.ensure(fields, { signal }));
    const saved = await destination.save(ensured.action === "created" ? ensured.webhook.secret : undefined);
    const output = outputOf(command, terminal);
    printEnsured(ensured, output, saved);
    throwIfNotSaved(ensured.webhook, saved, output);
  });
}

function example(args: string): string {
  return `\nExample:\n  $ bluum-webhooks endpoints ${args}`;
}

function withEndpointOptions(command: Command, required: boolean): Command {
  const url = new Option("--url <url>", "the URL for deliveries: https://, or http:// on this machine").argParser(
    (text) => secureUrlParser("--url")(text).href,
  );
  const event = new Option("--event <pattern...>", "the events to subscribe to, such as order.filled or 'transfer.*'");
  return command
    .addOption(url.makeOptionMandatory(required))
    .addOption(event.makeOptionMandatory(required))
    .option("--description <text>", "a description");
}
