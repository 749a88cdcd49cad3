import { ignoreRejection } from "../async.ts";
import { type RejectionCode, WebhookError } from "../errors.ts";

/**
 * Asks a function of the user's for a text.
 *
 * @param option the name of the option
 * @param code of the error if it throws, or returns something else than a string or undefined
 * @throws WebhookError with that code
 */
export function askOption(option: string, code: RejectionCode, ask: () => unknown): string | undefined {
  let answer: unknown;
  try {
    answer = ask();
  } catch (cause) {
    throw new WebhookError(code, `the ${option} option threw`, { cause });
  }
  if (answer === undefined || typeof answer === "string") return answer;
  ignoreRejection(answer);
  throw new WebhookError(code, `the ${option} option returned ${typeof answer}, not a string; it must be synchronous`);
}
