import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ParkEvent } from "../../src/inbox/failure.ts";
import type { Inbox } from "../../src/inbox/inbox.ts";
import type { InboxMessage } from "../../src/inbox/message.ts";
import { ROOT } from "../docs/markdown.ts";
import { folder } from "./provider-terminal.ts";

/** The built bin. */
export const BIN = `${ROOT}dist/src/cli/bin.js`;

/** Runs the bin as a process, without a terminal. */
export async function runBin(
  args: readonly string[],
  { cwd = ROOT, env = {} }: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { out: "", err: "" };
  child.stdout.on("data", (chunk) => (texts.out += chunk));
  child.stderr.on("data", (chunk) => (texts.err += chunk));
  const [code] = await once(child, "close");
  return { code, ...texts };
}

/**
 * The folder of an app with these packages, until the end of the test.
 *
 * @param packages the name of each, and its folder in the node_modules of this repository
 */
export function appWith(packages: Readonly<Record<string, string>>): string {
  const app = folder();
  mkdirSync(join(app, "node_modules"));
  for (const [name, installed] of Object.entries(packages))
    symlinkSync(`${ROOT}node_modules/${installed}`, join(app, "node_modules", name));
  return app;
}

/** A message of an inbox, with an id. */
export function message(id: string, changes: Partial<InboxMessage> = {}): InboxMessage {
  return {
    v: 1,
    key: `orders/${id}`,
    id,
    type: "order.filled",
    body: `{"id":"${id}","data":{"amount":10.00,"lines":[1,2],"none":{}}}`,
    headers: { "content-type": "application/json" },
    identifiedBy: "payload",
    receivedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    secretIndex: 0,
    ...changes,
  };
}

/** Parks messages: a worker takes each and throws a ParkEvent with this reason. */
export async function park(
  inbox: Inbox,
  messages: readonly InboxMessage[],
  reason: string = "no such account",
): Promise<void> {
  for (const each of messages) await inbox.add(each, { retentionMs: 60_000 });
  const { promise: parked, resolve } = deferred(messages.length);
  const worker = inbox.work(() => Promise.reject(new ParkEvent(reason)), {
    concurrency: 1,
    pollMs: 10,
    maxProcessingMs: 10_000,
    onParked: resolve,
    onError: () => {},
  });
  await parked;
  await worker.close();
}

/** Runs a worker that succeeds until so many events are processed, and returns their ids in order. */
export async function processed(inbox: Inbox, count: number): Promise<string[]> {
  const ids: string[] = [];
  const { promise: done, resolve } = deferred(count);
  const worker = inbox.work(
    async (stored) => {
      ids.push((stored as InboxMessage).id);
      resolve();
    },
    { concurrency: 1, pollMs: 10, maxProcessingMs: 10_000, onParked: () => {}, onError: () => {} },
  );
  await done;
  await worker.close();
  return ids;
}

/** A promise that is resolved by the call of that number. */
function deferred(calls: number): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let left = calls;
  let finish: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return {
    promise,
    resolve: () => {
      left -= 1;
      if (left === 0) finish();
    },
  };
}
