import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { canOpen } from "./backends.ts";
import { CI_SIZE, isInbox, MODES, type Mode } from "./plan.ts";
import { reportOf } from "./report.ts";
import { type Flaw, runStorm, type StormOptions, type StormResult } from "./storm.ts";

const USAGE = `Usage: npm run storm -- [options]
  --store redis|postgres|sqlite|inbox-sqlite|inbox-bullmq|inbox-pg-boss|all   default all
  --seed <n>       draws the same events and faults again; default by chance
  --events <n>     default 2000
  --faults <n>     default 210
  --receivers <n>  processes that share the store or the inbox; default 4
  --minutes <n>    goes on for that long with each, with as many events and faults as fit in
  --ci             a fixed seed, and a shorter storm over each; a missing server is a failure
  --flaw check-then-set|unfenced            a store known to be broken, to see it found out
  --flaw ack-before-store|forgets-attempts  an inbox known to be broken
  --json           the figures as JSON
  --dist <folder>  the built package, where it is not in dist`;

/** Each flaw, and what it is put into by default. */
const FLAWS: Readonly<Record<Flaw, Mode>> = {
  "check-then-set": "redis",
  unfenced: "redis",
  "ack-before-store": "inbox-sqlite",
  "forgets-attempts": "inbox-sqlite",
};
const USUAL_SIZE = { events: 2_000, faults: 210 };
const EVENTS_A_MINUTE = 2_400;
const FAULTS_A_MINUTE = 250;

/** Runs the storms that the arguments name. Returns the exit code: 1 if a promise was broken. */
export async function command(args: string[], signal: AbortSignal): Promise<number> {
  const options = optionsOf(args);
  if (options === undefined) {
    console.log(USAGE);
    return 2;
  }
  const results: StormResult[] = [];
  const missing: string[] = [];
  for (const store of options.stores) {
    if (signal.aborted) break;
    if (!(await canOpen(store))) {
      missing.push(store);
      console.error(`${store}: no server can be started here`);
      continue;
    }
    const storm = { ...options, store, signal };
    const { flaw = store, seed, events, faults } = storm;
    if (!options.json) console.log(`${flaw}: seed ${seed}, ${events} events, ${faults} faults ...`);
    results.push(await runStorm(storm));
  }
  if (signal.aborted) {
    console.error("interrupted: nothing is judged");
    return 130;
  }
  console.log(options.json ? JSON.stringify(results, undefined, 2) : `\n${reportOf(results)}`);
  const broken = results.some((result) => result.broken.length > 0);
  return broken || results.length === 0 || (options.ci && missing.length > 0) ? 1 : 0;
}

interface CommandOptions extends Omit<StormOptions, "store"> {
  readonly stores: readonly Mode[];
  readonly ci: boolean;
  readonly json: boolean;
}

function optionsOf(args: string[]): CommandOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      store: { type: "string", default: "all" },
      seed: { type: "string" },
      events: { type: "string" },
      faults: { type: "string" },
      receivers: { type: "string", default: "4" },
      minutes: { type: "string" },
      flaw: { type: "string" },
      dist: { type: "string" },
      ci: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { ci, json, minutes } = values;
  const { events, faults } = ci ? CI_SIZE : USUAL_SIZE;
  const flaw = (Object.keys(FLAWS) as Flaw[]).find((one) => one === values.flaw);
  const stores = storesOf(values.store, flaw);
  if (values.help || stores.length === 0 || (values.flaw !== undefined && flaw === undefined)) return undefined;
  return {
    stores,
    flaw,
    ci,
    json,
    seed: values.seed === undefined ? (ci ? 1 : Math.floor(Math.random() * 1e9)) : Number(values.seed),
    events: minutes === undefined ? Number(values.events ?? events) : Math.round(Number(minutes) * EVENTS_A_MINUTE),
    faults: minutes === undefined ? Number(values.faults ?? faults) : Math.round(Number(minutes) * FAULTS_A_MINUTE),
    receivers: Number(values.receivers),
    dist: values.dist === undefined ? undefined : pathToFileURL(values.dist).href,
    spanMs: minutes === undefined ? undefined : Number(minutes) * 60_000,
  };
}

/** The stores and inboxes that are meant. A flaw of inboxes can be put into each of them. */
function storesOf(named: string, flaw: Flaw | undefined): Mode[] {
  if (flaw === undefined) return MODES.filter((mode) => named === "all" || named === mode);
  const usual = FLAWS[flaw];
  return [MODES.find((mode) => mode === named && isInbox(mode) && isInbox(usual)) ?? usual];
}
