// The process in which one subject is measured: it gets the amount of work and answers with the rows.
import { once } from "node:events";

process.on("disconnect", () => process.exit(0));
const [effort] = await once(process, "message");
const { measure } = await import(`../subjects/${process.argv[2]}.mjs`);
process.send(await measure(effort));
