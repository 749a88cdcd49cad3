import { ignoreRejection } from "../async.ts";

/** Where a receiver writes what an operator should know. `console` fits. Never given a payload or a secret. */
export interface Logger {
  warn(message: string, error?: unknown): void;
  error(message: string, error?: unknown): void;
}

/** Logs under a topic; each topic gets one line a minute, or with `once` a single one. */
export interface ThrottledLog {
  once(topic: string, message: string): void;
  warn(topic: string, message: string | (() => string), error?: unknown): void;
  error(topic: string, message: string | (() => string), error?: unknown): void;
}

const QUIET_MS = 60_000;
/** Of topics that are said once; some name event types, and no sender of odd ones may make the table grow. */
const MAX_TOPICS = 1_000;

/**
 * Makes a log that says each topic once a minute and then how often it stayed silent. A message given as a function is
 * only built when it is written. A logger that throws is ignored: logging must never cost an event.
 */
export function throttledLog(logger: Logger | false, now: () => number = () => performance.now()): ThrottledLog {
  if (logger === false) return { once() {}, warn() {}, error() {} };
  const topics = new Map<string, { since: number; silenced: number }>();
  const said = new Set<string>();

  function throttled(level: Level, topic: string, message: string | (() => string), error?: unknown): void {
    const last = topics.get(topic);
    if (last !== undefined && now() - last.since < QUIET_MS) {
      last.silenced++;
      return;
    }
    topics.set(topic, { since: now(), silenced: 0 });
    const more = last !== undefined && last.silenced > 0 ? ` (and ${last.silenced} more since the last such line)` : "";
    write(logger as Logger, level, () => `${typeof message === "string" ? message : message()}${more}`, error);
  }
  return {
    once(topic, message) {
      if (said.has(topic) || said.size >= MAX_TOPICS) return;
      said.add(topic);
      write(logger, "warn", () => message);
    },
    warn: (topic, message, error) => throttled("warn", topic, message, error),
    error: (topic, message, error) => throttled("error", topic, message, error),
  };
}

type Level = "warn" | "error";

/** Writes one line. What the logger throws, at once or later, is swallowed. */
function write(logger: Logger, level: Level, message: () => string, error?: unknown): void {
  try {
    const line = `bluum-webhooks: ${message()}`;
    const returned: unknown = error === undefined ? logger[level](line) : logger[level](line, error);
    ignoreRejection(returned);
  } catch {
    // See above.
  }
}
