/**
 * Counts the calls that a backend has not answered yet, for `DedupeStore.unanswered`. A call whose verb timed out is still in the
 * client's queue, and still counts.
 */
export function countUnanswered<Args extends unknown[], Answer>(
  send: (...args: Args) => Promise<Answer>,
): { call(...args: Args): Promise<Answer>; unanswered(): number } {
  let unanswered = 0;
  return {
    async call(...args) {
      unanswered += 1;
      try {
        return await send(...args);
      } finally {
        unanswered -= 1;
      }
    },
    unanswered: () => unanswered,
  };
}
