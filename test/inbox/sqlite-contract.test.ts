import { describe, it } from "vitest";
import { sqliteInbox } from "../../src/inbox/sqlite.ts";
import { type InboxUnderTest, inboxContract } from "../../src/testing/inbox-contract.ts";
import { describeEach } from "../exhaustive.ts";
import { type Connection, type Engine, engines } from "../stores/sqlite-engines.ts";
import { Bench } from "./sqlite-support.ts";

const retry = { attempts: 3, backoffMs: 200, maxBackoffMs: 1_000 };
/** One case waits until it expires. */
const lockMs = 5_000;

function create(engine: Engine): InboxUnderTest {
  const bench = new Bench(engine);
  const connection = bench.open();
  return {
    inbox: sqliteInbox(connection, { retry, lockMs }),
    peer: bench.inbox({ retry, lockMs }),
    retry,
    keeps: { order: true },
    patienceMs: 60_000,
    cutOff: () => breakConnection(connection),
    dispose: () => bench.close(),
  };
}

/** As when the file's disk fails, for one connection. */
function breakConnection(connection: Connection): () => void {
  const fail = () => {
    throw new Error("disk I/O error");
  };
  const own = Object.entries({ exec: fail, prepare: fail });
  for (const [name, value] of own) Object.defineProperty(connection, name, { value, configurable: true });
  return () => {
    for (const [name] of own) Reflect.deleteProperty(connection, name);
  };
}

describeEach(describe, engines)("the SQLite inbox on $name", (engine) => {
  for (const { name, run, timeoutMs } of inboxContract(() => create(engine))) it.concurrent(name, run, timeoutMs);
});
