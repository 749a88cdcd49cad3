// redis-benchmark with commands of our own.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const KEYS = 2_000_000_000;

/** @returns `{ rate }`: how many events a second it would bring through, each with all of the commands */
export async function redisBenchmark(url, commands, { count, concurrency }) {
  const { hostname, port } = new URL(url);
  let secondsAnEvent = 0;
  for (const command of commands) {
    const args = ["-h", hostname, "-p", port, "-n", count, "-c", concurrency, "-r", KEYS, "--csv", ...command];
    const { stdout } = await promisify(execFile)("redis-benchmark", args.map(String));
    secondsAnEvent += 1 / requestsPerSecond(stdout);
  }
  return { rate: 1 / secondsAnEvent };
}

/** The last line is `"the command","12345.67",...`; the command itself may hold commas and quotes. */
function requestsPerSecond(csv) {
  const [rate] =
    csv
      .trim()
      .split("\n")
      .at(-1)
      .match(/(?<=",")[\d.]+(?=")/) ?? [];
  if (rate === undefined) throw new Error("redis-benchmark said nothing of a rate");
  return Number(rate);
}
