// Named checks that use only what every runtime has.

/** The time limit of each check, in milliseconds. */
const CHECK_TIMEOUT_MS = 30_000;

/**
 * A list of named checks that run concurrently. A check throws if its statement does not hold.
 *
 * @returns {{ check(name: string, run: () => unknown): void, run(): Promise<{ name: string, error?: string }[]> }}
 */
export function checkList() {
  const checks = [];
  return {
    check(name, run) {
      checks.push({ name, run });
    },
    run: () => Promise.all(checks.map(outcomeOf)),
  };
}

async function outcomeOf({ name, run }) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still running after ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
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
