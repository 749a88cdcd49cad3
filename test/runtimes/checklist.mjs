// Named checks that use only what every runtime has.

/** The time limit of a check that names none, in milliseconds. */
const CHECK_TIMEOUT_MS = 30_000;

/**
 * A list of named checks that run concurrently. A check throws if its statement does not hold.
 *
 * @returns {{ check(name: string, run: () => unknown, timeoutMs?: number): void, run(): Promise<{ name: string, error?: string }[]> }}
 */
export function checkList() {
  const checks = [];
  return {
    check(name, run, timeoutMs = CHECK_TIMEOUT_MS) {
      checks.push({ name, run, timeoutMs });
    },
    run: () => Promise.all(checks.map(outcomeOf)),
  };
}

async function outcomeOf({ name, run, timeoutMs }) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still running after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([(async () => run())(), late]);
    return { name };
  } catch (error) {
    return { name, error: String(error?.stack ?? error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Throws if two values differ as JSON. */
export function same(what, actual, expected) {
  const [came, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (came !== wanted) throw new Error(`${what}: expected ${wanted}, and got ${came}`);
}

/** Throws if the condition does not hold. */
export function holds(what, condition) {
  if (!condition) throw new Error(`${what}: it does not hold`);
}

/** Waits, in milliseconds. */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until a condition holds, for ten seconds at the most. */
export async function until(what, condition) {
  for (let tries = 0; tries < 400; tries++) {
    if (await condition()) return;
    await pause(25);
  }
  throw new Error(`${what}: it never came`);
}
