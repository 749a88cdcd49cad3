// The modules of JavaScript that this folder's TypeScript imports.
declare module "*/receiver-inboxes.mjs" {
  import type { Inbox } from "../../src/inbox/inbox.ts";
  import type { ReceiverConfig } from "./fleet.ts";

  export function openInbox(config: ReceiverConfig): Promise<{ inbox: Inbox; close: () => Promise<void> }>;
}
