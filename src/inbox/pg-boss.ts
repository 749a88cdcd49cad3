import type { Inbox } from "./inbox.ts";

export function pgBossInbox(): Inbox {
  throw new Error("not built yet");
}
