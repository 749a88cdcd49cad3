// The process in which one scheme that is not the default is measured: a server has one, and the compiler makes less of code that
// serves several. It gets the amount of work and answers with the rows.
import { once } from "node:events";
import { SCHEMES } from "../material/ours.mjs";
import { takeTurns } from "../measure/turns.mjs";
import { candidate, floor } from "./candidates.mjs";
import { bodiesToVerify } from "./sizes.mjs";

process.on("disconnect", () => process.exit(0));
const [{ rounds, sliceMs }] = await once(process, "message");
const scheme = SCHEMES.find(({ name }) => name === process.argv[2]);
const rows = [];
for (const { group, bodies, toFloor } of bodiesToVerify()) {
  const candidates = [
    floor("floor", bodies),
    floor("floor again (A/A)", bodies),
    { ...candidate(scheme, bodies), goal: { figure: "wall ratio", atMost: toFloor } },
  ];
  rows.push(...(await takeTurns(`${group}, ${scheme.name.replace("ours: ", "")}`, candidates, { rounds, sliceMs })));
}
process.send(rows);
