/** A call to a backend, and how many of them it has not answered yet. */
export interface Counted<Args extends unknown[], Answer> {
  readonly call: (...args: Args) => Promise<Answer>;
  readonly unanswered: () => number;
}

/**
 * Counts the calls that a backend has not answered, for `DedupeStore.unanswered`. A verb that timed out is still in the
 * client's queue, and still counts.
 */
export function countUnanswered<Args extends unknown[], Answer>(
  call: (...args: Args) => Promise<Answer>,
): Counted<Args, Answer> {
  let unanswered = 0;
  return {
    async call(...args) {
      unanswered += 1;
      try {
        return await call(...args);
      } finally {
        unanswered -= 1;
      }
    },
    unanswered: () => unanswered,
  };
}
