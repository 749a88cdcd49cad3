import { randomUUID } from "node:crypto";
import { describe, it } from "vitest";
import { bullmqInbox } from "../../src/inbox/bullmq.ts";
import { type InboxUnderTest, inboxContract } from "../../src/testing/inbox-contract.ts";
import { describeEach } from "../exhaustive.ts";
import { flakyProxy } from "../services/flaky-proxy.ts";
import { findRedis } from "../services/redis.ts";
import { clear, MAJORS, type Major, majors } from "./bullmq-setup.ts";

const redis = await findRedis();
const retry = { attempts: 3, backoffMs: 200, maxBackoffMs: 1_000 };

/** The inbox reaches Redis through a proxy, so that it can be cut off alone. */
async function create(major: Major): Promise<InboxUnderTest> {
  const { host = "", port = 0, url = "" } = redis ?? {};
  const prefix = `bluum-test-${randomUUID()}`;
  const proxy = await flakyProxy(port);
  const inboxAt = (at: { host: string; port: number }) =>
    bullmqInbox({ ...MAJORS[major], connection: at, name: "orders", prefix, retry, lockMs: 2_000, warn: false });
  const inbox = inboxAt({ host: "127.0.0.1", port: proxy.port });
  const peer = inboxAt({ host, port });
  return {
    inbox,
    peer,
    retry,
    keeps: { order: false },
    patienceMs: 60_000,
    async cutOff() {
      await proxy.refuse();
      return () => proxy.open();
    },
    async dispose() {
      await Promise.all([inbox.close(), peer.close()]);
      await proxy.close();
      await clear(url, prefix);
    },
  };
}

describeEach(describe.skipIf(!redis), majors)("the contract of inboxes on %s", (major) => {
  for (const { name, run, timeoutMs } of inboxContract(() => create(major))) it.concurrent(name, run, timeoutMs);
});
