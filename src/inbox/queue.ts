import type { Inbox } from "./inbox.ts";

export function queueInbox(): Inbox {
  throw new Error("not built yet");
}
