import type { Inbox, InboxAttempt, InboxMessage, ProcessMessage, WorkOptions } from "../../src/index.ts";
import { memoryStore } from "../../src/stores/memory.ts";

/** An inbox that keeps its messages in a list. The test runs them; nothing is retried or parked by itself. */
export interface ListInbox extends Inbox {
  readonly messages: InboxMessage[];
  /** What `work` was given, once it was called. */
  worker: { process: ProcessMessage; options: WorkOptions; closedWith?: unknown } | undefined;
}

export function listInbox(overrides: Partial<Inbox> = {}): ListInbox {
  const messages: InboxMessage[] = [];
  const inbox: ListInbox = {
    name: "list",
    store: memoryStore(),
    messages,
    worker: undefined,
    async add(message) {
      // Through JSON, as a real one would.
      if (messages.some(({ key }) => key === message.key)) return "duplicate";
      messages.push(JSON.parse(JSON.stringify(message)));
      return "added";
    },
    work(process, options) {
      const worker: NonNullable<ListInbox["worker"]> = { process, options };
      inbox.worker = worker;
      return {
        close: async (closing) => {
          worker.closedWith = closing;
        },
      };
    },
    stats: async () => ({ waiting: messages.length, delayed: 0, active: 0, parked: 0, oldestWaitingMs: 0 }),
    parked: async () => ({ events: [] }),
    redrive: async () => 0,
    discard: async () => 0,
    ...overrides,
  };
  return inbox;
}

export const FIRST: InboxAttempt = { number: 1, of: 12 };
