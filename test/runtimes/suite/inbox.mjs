// The inbox in a SQLite file: what only runtimes with a SQLite of their own can run.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkList, same, until } from "../checklist.mjs";
import { delivery, mount } from "./mount.mjs";

const RETRY = { attempts: 3, backoffMs: 200, maxBackoffMs: 1_000 };

/** @param open opens a database in a file */
export async function runInboxSuite(doors, open) {
  const folder = mkdtempSync(join(tmpdir(), "runtimes-inbox-"));
  try {
    const fresh = () => freshInbox(doors, open, mkdtempSync(join(folder, "inbox-")));
    const whole = checkList();
    wholeWay(whole.check, doors, fresh);
    const contract = checkList();
    for (const { name, run, timeoutMs } of casesOf(doors, fresh)) contract.check(name, run, timeoutMs);
    return [...(await whole.run()), ...(await contract.run())];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function casesOf(doors, fresh) {
  const cases = doors["./testing"].inboxContract(() => ({ ...fresh(), retry: RETRY, keeps: { order: true } }));
  return cases.map(({ name, ...each }) => ({ ...each, name: `the SQLite inbox: ${name}` }));
}

function freshInbox(doors, open, folder) {
  const database = open(join(folder, "webhooks.db"));
  database.exec("PRAGMA synchronous = FULL");
  const inbox = doors["./inbox/sqlite"].sqliteInbox(database, { retry: RETRY, lockMs: 5_000 });
  return { inbox, dispose: async () => database.close() };
}

/** From the request to the handler. */
function wholeWay(check, doors, fresh) {
  const { ParkEvent } = doors["."];

  check("an event that was answered 200 is handled by the worker, and its duplicate is not", async () => {
    const { inbox, dispose } = fresh();
    const { receiver, handled, send } = mount(doors, { inbox, namespace: "runtimes" });
    const sent = delivery(doors);
    same("answers", [await send(sent), await send(sent)], ["200", "200 duplicate"]);
    same("handled without a worker", handled.length, 0);
    receiver.work();
    await until("the handler's run", () => handled.length === 1);
    await until("its end", async () => (await inbox.stats()).active === 0);
    await receiver.close();
    same("runs", handled.length, 1);
    await dispose();
  });

  check("an event whose handler throws is retried, one that is parked waits for its redrive", async () => {
    const { inbox, dispose } = fresh();
    let mended = false;
    const handler = (_, { attempt }) => {
      if (attempt.number === 1 && !mended) throw new Error("on purpose");
      if (!mended) throw new ParkEvent("not before it is mended");
    };
    const { receiver, handled, send } = mount(doors, { inbox, namespace: "runtimes" }, handler);
    same("answer", await send(delivery(doors)), "200");
    receiver.work();
    await until("the parking", async () => (await inbox.stats()).parked === 1);
    same("runs", handled.length, 2);
    mended = true;
    same("redriven", await inbox.redrive({ all: true }), 1);
    await until("the redriven run", () => handled.length === 3);
    await receiver.close();
    same("parked", (await inbox.stats()).parked, 0);
    await dispose();
  });
}
