/** Where a receiver writes what an operator should know. `console` fits. Never given a payload or a secret. */
export interface Logger {
  warn(message: string, error?: unknown): void;
  error(message: string, error?: unknown): void;
}

/** Logs under a topic; each topic gets one line a minute. */
export interface ThrottledLog {
  warn(topic: string, message: string | (() => string), error?: unknown): void;
  error(topic: string, message: string | (() => string), error?: unknown): void;
}

const QUIET_MS = 60_000;
/** Topics are codes and event types: bounded, so that no sender of odd types makes the table grow. */
const MAX_TOPICS = 1_000;

/**
 * Makes a log that says each topic once a minute and then how often it stayed silent. A message given as a function is
 * only built when it is written. A logger that throws is ignored: logging must never cost an event.
 */
export function throttledLog(logger: Logger | false, now: () => number = () => performance.now()): ThrottledLog {
  if (logger === false) return { warn() {}, error() {} };
  const topics = new Map<string, { since: number; silenced: number }>();

  function write(level: "warn" | "error", topic: string, message: string | (() => string), error?: unknown): void {
    const last = topics.get(topic);
    if (last !== undefined && now() - last.since < QUIET_MS) {
      last.silenced++;
      return;
    }
    if (topics.size >= MAX_TOPICS) topics.clear();
    topics.set(topic, { since: now(), silenced: 0 });
    const text = typeof message === "string" ? message : message();
    const more = last !== undefined && last.silenced > 0 ? ` (and ${last.silenced} more since the last such line)` : "";
    const line = `bluum-webhooks: ${text}${more}`;
    try {
      if (error === undefined) (logger as Logger)[level](line);
      else (logger as Logger)[level](line, error);
    } catch {
      // See above.
    }
  }
  return {
    warn: (topic, message, error) => write("warn", topic, message, error),
    error: (topic, message, error) => write("error", topic, message, error),
  };
}
