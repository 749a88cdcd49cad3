import type { Inbox } from "./inbox.ts";

export function bullmqInbox(): Inbox {
  throw new Error("not built yet");
}
