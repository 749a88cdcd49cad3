// Workers in processes of their own that are killed. They need a Node that runs TypeScript as it is.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { PgBossInboxOptions } from "../../src/inbox/pg-boss.ts";
import type { Victim } from "./pg-boss-load.ts";
import { type Scenarios, type Subject, until, withSubject } from "./pg-boss-scenarios.ts";

type Options = Partial<PgBossInboxOptions>;

/** A worker in a process of its own. */
interface Killable {
  readonly child: ChildProcess;
  /** The keys that it has begun with. */
  begun(): string[];
}

function victim(subject: Subject, options: Options): Killable {
  const { url, schema, folder = "" } = subject.started;
  const told: Victim = { folder, url, schema, queue: subject.queue, options };
  const path = fileURLToPath(new URL("./pg-boss-victim.ts", import.meta.url));
  const child = spawn(process.execPath, [path, JSON.stringify(told)], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (bytes) => {
    said += bytes;
  });
  return { child, begun: () => said.split("\n").filter((line) => line !== "") };
}

async function killed({ child }: Killable): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

const POISONED: Options = { retry: { attempts: 3, backoffMs: 1 }, lockMs: 1_000 };

export const crashes: Scenarios = {
  "a worker that is killed loses its message to another one within its lease": withSubject(
    async (subject) => {
      await subject.add("hang");
      const process = victim(subject, { lockMs: 4_000 });
      await until(() => process.begun().length === 1);
      await killed(process);
      const killedAt = performance.now();
      let number = 0;
      subject.work(async (_, attempt) => {
        number = attempt.number;
      });
      await until(() => number > 0);
      const ms = performance.now() - killedAt;
      assert.equal(number, 2);
      assert.ok(ms < 10_000, `came back after ${ms} ms`);
    },
    { lockMs: 4_000 },
  ),

  "an event that kills its process is parked, and takes no other with it": withSubject(async (subject) => {
    for (let i = 0; i < 5; i += 1) await subject.add(`before ${i}`);
    await subject.add("poison");
    for (let i = 0; i < 30; i += 1) await subject.add(`after ${i}`);
    const isDone = async () => {
      const { waiting, delayed, active } = await subject.inbox.stats();
      return waiting + delayed + active === 0;
    };
    let deaths = 0;
    let done = false;
    while (!done) {
      const process = victim(subject, POISONED);
      await until(async () => {
        done = await isDone();
        return done || process.child.signalCode !== null;
      }, 60_000);
      if (done) await killed(process);
      else deaths += 1;
    }
    assert.equal(deaths, 3);
    const { events } = await subject.inbox.parked();
    assert.deepEqual(
      events.map(({ key, attempts }) => [key, attempts]),
      [["poison", 3]],
    );
  }, POISONED),
};
