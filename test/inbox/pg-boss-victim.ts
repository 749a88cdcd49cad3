// A worker in a process of its own, to be killed: argv is JSON. It kills itself at the event "poison", hangs at "hang", and takes some
// time for others.

import type { InboxMessage } from "../../src/inbox/message.ts";
import { loadBoss, type Victim } from "./pg-boss-load.ts";
import { Subject } from "./pg-boss-scenarios.ts";

const { folder, url, schema, queue, options } = JSON.parse(process.argv[2] ?? "") as Victim;
const boss = await loadBoss(folder, { connectionString: url, schema, max: 2, supervise: false, schedule: false });
const subject = new Subject({ url, boss, schema, folder }, options, 4, boss, queue);
subject.work(async (stored) => {
  const { key } = stored as InboxMessage;
  process.stdout.write(`${key}\n`);
  if (key === "poison") process.kill(process.pid, "SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, key === "hang" ? 3_600_000 : 20));
});
