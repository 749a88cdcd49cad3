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
  const list = checkList();
  for (const chapter of [doorsLoad, receiving, schemes, storm, bodies, claims]) chapter(list.check, doors);
  hono(list.check, doors, Hono);
  // The store's crowds keep the processor to themselves, and claims of the others would lapse meanwhile.
  const crowds = checkList();
  memory(crowds.check, doors);
  return [...(await list.run()), ...(await crowds.run())];
}
