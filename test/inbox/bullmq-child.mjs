// A worker in a process of its own, which prints each run. Arguments: the major of BullMQ, the port of Redis, the prefix.
// By the id of an event it kills itself, runs for ever, runs a while, or succeeds.
import { register } from "node:module";

if (!process.features.typescript) register("../storm/typescript-loader.mjs", import.meta.url);

const [major, port, prefix] = process.argv.slice(2);
const { Queue, Worker } = await import(major === "bullmq 6" ? "bullmq" : "bullmq5");
const { bullmqInbox } = await import("../../src/inbox/bullmq.ts");

const connection = { host: "127.0.0.1", port: Number(port) };
const inbox = bullmqInbox({
  Queue,
  Worker,
  connection,
  name: "orders",
  prefix,
  lockMs: 1_500,
  warn: false,
  retry: { attempts: 3, backoffMs: 100 },
});

const kinds = {
  poison: () => process.kill(process.pid, "SIGKILL"),
  endless: () => new Promise(() => {}),
  while: () => new Promise((resolve) => setTimeout(resolve, 100)),
};

inbox.work(
  async ({ id }, { number }) => {
    process.stdout.write(`run ${id} ${number}\n`);
    // What was printed must be out before the process ends.
    await new Promise((resolve) => setTimeout(resolve, 20));
    await kinds[id.split("-")[0]]?.();
    process.stdout.write(`done ${id}\n`);
  },
  {
    maxProcessingMs: 60_000,
    onParked: ({ key, attempts }) => process.stdout.write(`parked ${key} ${attempts}\n`),
    onError: ({ message }) => process.stdout.write(`error ${message}\n`),
  },
);
process.stdout.write("ready\n");
