import { ignoreRejection } from "../async.ts";
import { checksFor } from "../options.ts";
import type { WorkOptions } from "./inbox.ts";

/**
 * Checks the options of `work` and fills in their defaults. What a callback throws is dropped: it must not end the worker.
 *
 * @param owner the function that takes the options, for the message
 * @throws WebhookError `configuration_invalid`
 */
export function workSettings(owner: string, options: WorkOptions): Required<WorkOptions> {
  const { integer } = checksFor(owner);
  const { concurrency = 10, pollMs = 1_000, maxProcessingMs, onParked, onError } = options;
  return {
    concurrency: integer("concurrency", concurrency, 1, 1_000),
    pollMs: integer("pollMs", pollMs, 10, 3_600_000),
    maxProcessingMs,
    onParked: (parked) => dropErrors(() => onParked(parked)),
    onError: (error) => dropErrors(() => onError(error)),
  };
}

function dropErrors(callback: () => unknown): void {
  try {
    ignoreRejection(callback());
  } catch {
    // Nobody is left to report it to.
  }
}
