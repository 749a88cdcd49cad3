import type { RequestListener, ServerResponse } from "node:http";
import { isAllowedHost } from "../../sandbox/server/origins.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";
import type { CheckDelivery } from "./check-delivery.ts";
import { type DeliveryResult, printDelivery } from "./print-delivery.ts";
import { bodyBudget, type ReceivedRequest, readRequest } from "./read-request.ts";
import { respond, sendReply } from "./respond.ts";
import { captureOf, saveCapture } from "./save-capture.ts";

/** The options of {@link requestHandler}. */
export interface HandlerOptions {
  /** The address that `listen` listens on. */
  readonly host: string;
  /** Host names that are allowed besides those of this machine. */
  readonly allowHost?: readonly string[];
  /** The path of deliveries. */
  readonly path: string;
  /** The app to which deliveries are forwarded. */
  readonly forward?: URL;
  /** The folder in which deliveries are saved. */
  readonly save?: string;
  readonly checkDelivery: CheckDelivery;
  /** Called with each delivery that was printed. */
  readonly detectFirst: (result: DeliveryResult) => Promise<void>;
  /** Aborts requests in progress. */
  readonly signal: AbortSignal;
  readonly output: Output;
}

/** Returns a handler that checks, answers, saves and prints each request. An error affects that request only. */
export function requestHandler(options: HandlerOptions): RequestListener {
  const { host, allowHost = [], path, output } = options;
  const bodies = bodyBudget();
  return function handleRequest(request, response) {
    // Another site could make its own name resolve to this machine (DNS rebinding).
    if (!isAllowedHost(request, host, allowHost)) {
      const name = JSON.stringify(printable(request.headers.host ?? ""));
      sendReply(response, { status: 421, headers: {}, body: "" });
      output.note(`421: Host is ${name}; if this is your tunnel, add the name with --allow-host`);
      return;
    }
    if (request.url?.split("?", 1)[0] !== path) {
      sendReply(response, { status: 404, headers: {}, body: "" });
      output.note(`404 ${printable(`${request.method} ${request.url}`)}: deliveries are received at ${path}`);
      return;
    }
    readRequest(request, bodies)
      .then((received) => handleDelivery(received, response, options))
      .catch((error: unknown) => {
        output.note(`a delivery failed: ${printable(String(error))}`);
        response.destroy();
      });
  };
}

async function handleDelivery(
  request: ReceivedRequest,
  response: ServerResponse,
  { checkDelivery, forward, save, detectFirst, signal, output }: HandlerOptions,
): Promise<void> {
  const checked = await checkDelivery(request);
  const answered = await respond(request, checked, response, forward, signal);
  const durationMs = performance.now() - request.receivedAtMs;
  const saved = save === undefined ? undefined : await trySave(save, request, output);
  // A delivery that Ctrl-C interrupted is not printed.
  if (signal.aborted) return;
  const result = { request, checked, ...answered, durationMs, saved };
  printDelivery(result, output);
  await detectFirst(result);
}

/** Saves a delivery and returns the file's path. An error is printed only: the delivery is already answered. */
async function trySave(folder: string, request: ReceivedRequest, output: Output): Promise<string | undefined> {
  const capture = captureOf(request);
  if (capture === undefined) return undefined;
  try {
    return await saveCapture(folder, capture);
  } catch (error) {
    output.note(`a delivery could not be saved in ${folder}: ${(error as NodeJS.ErrnoException).code}`);
    return undefined;
  }
}
