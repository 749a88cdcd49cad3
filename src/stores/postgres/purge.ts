/** A purge that runs by itself. */
export interface BackgroundPurge {
  /** Lets it run no more; resolves once nothing of it is at work. */
  stop(): Promise<void>;
}

/**
 * Purges again and again in the background. It keeps no process alive, and no failure of it reaches anybody but `onTrouble`,
 * which is told of the first one after a success.
 *
 * @param everyMs the time from the end of one run to the start of the next, in milliseconds
 * @param purge one run; it is to end early once `stopped`
 */
export function purgeInBackground(
  everyMs: number,
  purge: (stopped: () => boolean) => Promise<unknown>,
  onTrouble: (error: unknown) => void,
): BackgroundPurge {
  let timer: unknown;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  let failing = false;

  async function run(): Promise<void> {
    try {
      await purge(() => stopped);
      failing = false;
    } catch (error) {
      if (!failing) onTrouble(error);
      failing = true;
    }
    if (!stopped) schedule();
  }

  function schedule(): void {
    timer = setTimeout(() => {
      running = run();
    }, everyMs);
    // Not every runtime has timers that can be unref'd.
    (timer as { unref?(): void }).unref?.();
  }

  schedule();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer as ReturnType<typeof setTimeout>);
      return running;
    },
  };
}
