import { afterEach, vi } from "vitest";
import { ParkEvent } from "../../../src/inbox/failure.ts";
import type { Inbox } from "../../../src/inbox/inbox.ts";
import type { InboxMessage } from "../../../src/inbox/message.ts";
import type { InspectInboxOptions } from "../../../src/inbox/page/options.ts";
import { inspectInbox } from "../../../src/inbox/page.ts";
import { engines } from "../../stores/sqlite-engines.ts";
import { Bench, messageOf, TERMS } from "../sqlite-support.ts";
import { type Mount, type Mounted, mount } from "./mounts.ts";

/** A real inbox in SQLite, with its page on a server. */
export interface Inspected extends Mounted {
  readonly inbox: Inbox;
  /** What `onError` was called with. */
  readonly errors: unknown[];
  readonly endStreams: () => void;
}

/** The options of a test's page, and how it is mounted. */
export interface Settings extends Partial<InspectInboxOptions> {
  readonly mount?: Mount;
  /** In place of one in SQLite. */
  readonly inbox?: Inbox;
}

let closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.reverse()) await close();
  closers = [];
});

/** Called after the test, the last first. */
export function afterwards(close: () => Promise<unknown>): void {
  closers.push(close);
}

/** An empty inbox in a file of its own. */
export function freshInbox(): Inbox {
  const bench = new Bench(engines[0] as (typeof engines)[number]);
  afterwards(() => bench.close());
  return bench.inbox();
}

/** Mounts the page of an inbox. Everybody may see it unless the options say otherwise. */
export async function inspected({ mount: mounting = mount, ...settings }: Settings = {}): Promise<Inspected> {
  const { inbox = freshInbox(), ...options } = settings;
  const errors: unknown[] = [];
  const page = inspectInbox(inbox, { authorize: () => true, onError: (error) => errors.push(error), ...options });
  const mounted = await mounting(page);
  afterwards(() => mounted.close());
  return { ...mounted, inbox, errors, endStreams: () => page.close() };
}

/** A message with its key, and what its handler fails with. */
export interface Failing extends Partial<InboxMessage> {
  readonly key: string;
  readonly error?: string;
}

/** Adds events, and parks each with its error. */
export async function park(inbox: Inbox, events: readonly Failing[]): Promise<void> {
  const { parked } = await inbox.stats();
  await Promise.all(events.map(({ error: _, key, ...fields }) => inbox.add(messageOf(key, fields), TERMS)));
  const errors = new Map(events.map(({ key, error = `no luck with ${key}` }) => [key, error]));
  const fail = async (message: unknown) => {
    throw new ParkEvent(errors.get((message as InboxMessage).key));
  };
  const worker = inbox.work(fail, { pollMs: 20, maxProcessingMs: 60_000, onParked() {}, onError() {} });
  await vi.waitFor(
    async () => {
      if ((await inbox.stats()).parked < parked + events.length) throw new Error("not all are parked");
    },
    { timeout: 20_000, interval: 20 },
  );
  await worker.close();
}

/** Events with these ids, as a receiver stores them. */
export function failing(ids: readonly string[], type = "order.filled", fields: Partial<Failing> = {}): Failing[] {
  return ids.map((id) => ({
    key: `shop/${type}/${id}`,
    id,
    type,
    body: JSON.stringify({ event: type, data: { id, account_number: "DE02-7001", amount: "250.00" } }),
    headers: { "content-type": "application/json", "x-bluum-signature": "0af1" },
    receivedAt: Date.UTC(2026, 2, 12, 14, 2),
    ...fields,
  }));
}

/** Numbered ids. */
export function ids(count: number, prefix = "ord_"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(4, "0")}`);
}
