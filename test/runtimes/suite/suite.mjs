// What holds on every runtime, run inside of it.
import { checkList } from "../checklist.mjs";
import { bodies } from "./bodies.mjs";
import { claims } from "./claims.mjs";
import { doorsLoad } from "./doors.mjs";
import { hono } from "./hono.mjs";
import { memory } from "./memory.mjs";
import { receiving } from "./receiving.mjs";
import { schemes } from "./schemes.mjs";
import { storm } from "./storm.mjs";

/**
 * Runs every check.
 *
 * @param doors the package's doors by their names in its manifest, as they were imported or required
 * @param Hono the framework's class
 */
export async function runSuite(doors, Hono) {
  const quick = checkList();
  for (const chapter of [doorsLoad, receiving, schemes, storm, bodies]) chapter(quick.check, doors);
  hono(quick.check, doors, Hono);
  // What is timed has the processor to itself, and so have the store's crowds: a claim would lapse under a process that stalls.
  const timed = checkList();
  claims(timed.check, doors);
  const crowds = checkList();
  memory(crowds.check, doors);
  return [...(await quick.run()), ...(await timed.run()), ...(await crowds.run())];
}
