import { isError } from "../../errors.ts";
import { messageOf } from "../backend/failure.ts";

/**
 * A copy of the error without the properties that clients add: ioredis adds the failed command with its arguments, such as the
 * password of a refused AUTH, and errors are logged whole.
 */
export function withoutCommand(thrown: unknown): Error {
  if (!isError(thrown)) return new Error(messageOf(thrown));
  const { name, message, stack, code } = thrown as Error & { code?: unknown };
  return Object.assign(new Error(message), { name, stack }, code === undefined ? {} : { code });
}
