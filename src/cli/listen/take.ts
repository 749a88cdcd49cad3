import type { RequestListener, ServerResponse } from "node:http";
import { isAllowedHost } from "../../sandbox/server/origins.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";
import { answer, send } from "./answer.ts";
import { type Arrival, arrivalOf, arrivingBodies } from "./arrival.ts";
import type { Judge } from "./judge.ts";
import { type Told, tell } from "./line.ts";
import { captureOf, saveCapture } from "./save.ts";

/** What is done with requests. */
export interface Taking {
  /** The address that is listened on. */
  readonly host: string;
  /** Names beside this machine's own under which deliveries come. */
  readonly allowHost?: readonly string[];
  /** The path at which deliveries come. */
  readonly path: string;
  /** The app that they are handed on to. */
  readonly forward?: URL;
  /** The folder that they are saved in. */
  readonly save?: string;
  readonly judge: Judge;
  /** Looks at each delivery that was told. */
  readonly detectFirst: (told: Told) => Promise<void>;
  /** Ends what is on its way. */
  readonly signal: AbortSignal;
  readonly output: Output;
}

/** Takes each request: judges and answers it, saves it, tells of it. Whatever goes wrong with one costs no other. */
export function taker(taking: Taking): RequestListener {
  const { host, allowHost = [], path, output } = taking;
  const bodies = arrivingBodies();
  return function takeRequest(request, response) {
    // A page elsewhere could have its own name resolve to this machine (DNS rebinding).
    if (!isAllowedHost(request, host, allowHost)) {
      const named = JSON.stringify(printable(request.headers.host ?? ""));
      send(response, { status: 421, headers: {}, body: "" });
      output.note(`421: Host is ${named}; add --allow-host with that name if it is your tunnel's`);
      return;
    }
    if (request.url?.split("?", 1)[0] !== path) {
      send(response, { status: 404, headers: {}, body: "" });
      output.note(`404 ${printable(`${request.method} ${request.url}`)}: deliveries are received at ${path}`);
      return;
    }
    arrivalOf(request, bodies)
      .then((arrival) => take(arrival, response, taking))
      .catch((error: unknown) => {
        output.note(`a delivery could not be taken: ${printable(String(error))}`);
        response.destroy();
      });
  };
}

async function take(arrival: Arrival, response: ServerResponse, taking: Taking): Promise<void> {
  const { judge, forward, save, detectFirst, signal, output } = taking;
  const judgement = await judge(arrival);
  const answered = await answer(arrival, judgement, response, forward, signal);
  const durationMs = performance.now() - arrival.receivedAtMs;
  const saved = save === undefined ? undefined : await keep(save, arrival, output);
  // What Ctrl-C cut off is not worth a line.
  if (signal.aborted) return;
  const told = { arrival, judgement, ...answered, durationMs, saved };
  tell(told, output);
  await detectFirst(told);
}

/** Saves a delivery. One that cannot be saved was answered all the same. */
async function keep(folder: string, arrival: Arrival, output: Output): Promise<string | undefined> {
  const capture = captureOf(arrival);
  if (capture === undefined) return undefined;
  try {
    return await saveCapture(folder, capture);
  } catch (error) {
    output.note(`a delivery could not be saved in ${folder}: ${(error as NodeJS.ErrnoException).code}`);
    return undefined;
  }
}
