import type { NatsConnection } from "@nats-io/transport-node";
import type { Channel, ConfirmChannel } from "amqplib";
import type { BluumEvent, DedupeStore, DeliveryContext, Inbox, Receiver } from "../../src/index.ts";
import { compileSnippets, removeSnippets, snippetsOf } from "../docs/snippets.ts";

/** What a test registers. */
export type Handler = (event: BluumEvent, context: DeliveryContext) => unknown;

interface RecipeOptions {
  readonly attempts?: number;
  readonly pauseMs?: number;
}

/** The functions of docs/guides/queues.md. They use the built package. */
export interface Recipes {
  rabbitQueue(
    name: string,
    options: RecipeOptions,
  ): {
    declare(channel: Channel): Promise<void>;
    inbox(channel: ConfirmChannel, store: DedupeStore): Inbox;
    work(channel: ConfirmChannel, receiver: Receiver, onError?: (error: unknown) => void): Promise<void>;
  };
  jetstreamQueue(
    name: string,
    options: RecipeOptions & { readonly ackWaitMs?: number },
  ): {
    declare(connection: NatsConnection): Promise<void>;
    inbox(connection: NatsConnection, store: DedupeStore): Inbox;
    work(
      connection: NatsConnection,
      receiver: Receiver,
      onError?: (error: unknown) => void,
    ): Promise<() => Promise<void>>;
  };
}

/** Compiles one function of the page, strictly, and imports it. */
export async function recipe<Name extends keyof Recipes>(name: Name): Promise<Recipes[Name]> {
  const snippets = snippetsOf(["docs/guides/queues.md"]).filter(({ code }) => code.includes(`function ${name}(`));
  await compileSnippets(snippets);
  try {
    const exports = (await import(snippets[0]?.program ?? "")) as Recipes;
    return exports[name];
  } finally {
    removeSnippets();
  }
}
