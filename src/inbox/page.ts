/**
 * A page in your app on which operators see, redrive and discard the events of an inbox.
 *
 * @example
 * import express from "express";
 * import { inspectInbox } from "bluum-webhooks/inbox/page";
 *
 * const page = inspectInbox(inbox, { authorize: (request: express.Request) => isAdmin(request) });
 * express().use("/admin/inbox", page.node);
 *
 * @module bluum-webhooks/inbox/page
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { fromFetch } from "./page/incoming.ts";
import { fromNode, sendTo } from "./page/node.ts";
import { checkArguments, type InspectedInbox, type InspectInboxOptions, type PageRequest } from "./page/options.ts";
import { InboxPageServer } from "./page/server.ts";

export type { InspectedInbox, InspectInboxOptions, MaskedEvent, PageRequest } from "./page/options.ts";

/** The page of an inbox, to be mounted in an app. Its functions need no `this`. */
export interface InboxPage<Incoming extends PageRequest = PageRequest> {
  /** Answers a fetch request. Never rejects. */
  fetch(request: Incoming & Request): Promise<Response>;
  /** Answers a Node request, such as Express's. Never rejects. */
  node(request: Incoming & IncomingMessage, response: ServerResponse): Promise<void>;
  /** Ends the connections over which open pages get live counts, so that the app's server can close. */
  close(): void;
}

/**
 * A page on which operators see what waits and what is parked, and redrive or discard it. Mount it behind the app's own
 * authentication, at any path: all its requests go to that path.
 *
 * It shows payloads and errors, which are personal and financial data. `authorize` decides about every request; `mask` about what of
 * a payload leaves the server.
 *
 * @param inbox the receiver's inbox
 * @throws WebhookError `configuration_invalid` without `authorize`, or for another option that is not valid
 * @example
 * const page = inspectInbox(inbox, { authorize: (request: express.Request) => isAdmin(request) });
 * app.use("/admin/inbox", requireLogin, page.node);
 */
export function inspectInbox<Incoming extends PageRequest = PageRequest>(
  inbox: InspectedInbox,
  options: InspectInboxOptions<Incoming>,
): InboxPage<Incoming> {
  checkArguments(inbox, options);
  const { authorize } = options;
  const server = new InboxPageServer(inbox, options);
  return {
    fetch: (request) => server.answer(fromFetch(request), () => authorize(request)),
    node: async (request, response) =>
      sendTo(response, await server.answer(fromNode(request), () => authorize(request))),
    close: () => server.close(),
  };
}
