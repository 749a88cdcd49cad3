// Reads the command line options.
import { parseArgs } from "node:util";
import { EFFORTS } from "./efforts.mjs";

/** Every subject, in the order in which they are measured; each is a file in bench/subjects. */
export const SUBJECTS = ["verify", "receive", "adapters", "stores", "inbox", "scale", "start"];

/** @throws Error for an unknown option or subject */
export function optionsOf(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      only: { type: "string" },
      out: { type: "string" },
      json: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      tiny: { type: "boolean", default: false },
    },
  });
  const only = values.only?.split(",") ?? SUBJECTS;
  const unknown = only.find((name) => !SUBJECTS.includes(name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there are ${SUBJECTS.join(", ")}`);
  const effort = values.tiny ? EFFORTS.tiny : values.quick ? EFFORTS.quick : EFFORTS.full;
  return { only, effort, json: values.json, out: values.out };
}
