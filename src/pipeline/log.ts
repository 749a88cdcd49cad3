import { ignoreRejection, unref } from "../async.ts";
import { isError } from "../errors.ts";

/**
 * Where a receiver writes its lines: `console`, winston, pino, bunyan, or an object of your own. Its methods get the line and, where
 * there is one, the error. A logger that has `child()` and either `bindings()` (pino) or `addSerializers()` (bunyan) gets the
 * error first and the line second, as those two want it. No line holds a payload or a secret.
 */
export interface Logger {
  warn(message: string, error?: unknown): void;
  error(message: string, error?: unknown): void;
}

/** A line, or a function that makes it and is called only if the line is written. */
type Line = string | (() => string);

/** Writes a limited number of lines a minute for each topic, then one line that counts what was left out. */
export interface ThrottledLog {
  /** One warning for each topic, ever. */
  once(topic: string, message: string): void;
  /** At most one line a minute for each topic. */
  warn(topic: string, message: Line, error?: unknown): void;
  /** At most one line a minute for each topic. */
  error(topic: string, message: Line, error?: unknown): void;
  /** At most ten lines a minute for each topic. For failed handlers: each of them is worth a line, a flood is not. */
  failure(topic: string, message: Line, error?: unknown): void;
  /** Writes now how many lines were left out. */
  flush(): void;
}

const WINDOW_MS = 60_000;
const FAILURES_PER_WINDOW = 10;
/** Topics may name event types, which the provider makes up: their number is bounded. */
const MAX_TOPICS = 1_000;

type Level = "warn" | "error";

/** What was written about one topic since its first line. */
interface Window {
  readonly level: Level;
  readonly since: number;
  lines: number;
  leftOut: number;
  timer?: ReturnType<typeof setTimeout>;
}

/** Makes the log of one receiver. What the logger throws is ignored: logging never costs an event. */
export function throttledLog(logger: Logger | false): ThrottledLog {
  const windows = new Map<string, Window>();
  const said = new Set<string>();

  function limited(level: Level, limit: number, wanted: string, message: Line, error?: unknown): void {
    if (logger === false) return;
    const topic = boundedTopic(wanted);
    const window = windowOf(topic, level);
    if (window.lines < limit) {
      window.lines++;
      write(logger, level, message, error);
      return;
    }
    window.leftOut++;
    if (window.timer !== undefined) return;
    window.timer = setTimeout(() => close(topic), window.since + WINDOW_MS - performance.now());
    unref(window.timer);
  }

  /** The open window of a topic, or a new one. The timer may be gone: some runtimes drop it when a request ends. */
  function windowOf(topic: string, level: Level): Window {
    const open = windows.get(topic);
    if (open !== undefined && !isOver(open)) return open;
    close(topic);
    const window: Window = { level, since: performance.now(), lines: 0, leftOut: 0 };
    windows.set(topic, window);
    return window;
  }

  /** Ends a topic's window with the count of what was left out, if anything was. */
  function close(topic: string): void {
    const window = windows.get(topic);
    if (window === undefined || logger === false) return;
    windows.delete(topic);
    clearTimeout(window.timer);
    if (window.leftOut > 0) write(logger, window.level, `${topic}: and ${window.leftOut} more within a minute`);
  }

  /** The topic, or where there are too many one for the rest. */
  function boundedTopic(topic: string): string {
    if (windows.has(topic) || windows.size < MAX_TOPICS) return topic;
    for (const [each, window] of windows) if (isOver(window)) close(each);
    return windows.size < MAX_TOPICS ? topic : "other topics";
  }

  return {
    once(topic, message) {
      if (logger === false || said.has(topic) || said.size >= MAX_TOPICS) return;
      said.add(topic);
      write(logger, "warn", message);
    },
    warn: (topic, message, error) => limited("warn", 1, topic, message, error),
    error: (topic, message, error) => limited("error", 1, topic, message, error),
    failure: (topic, message, error) => limited("error", FAILURES_PER_WINDOW, topic, message, error),
    flush() {
      for (const topic of [...windows.keys()]) close(topic);
    },
  };
}

/** Text of the provider's or the user's, safe in a line: quoted, cut, printable ASCII, and no `%` that a logger could read as a format. */
export function quoted(text: string, most = 100): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(text.slice(0, most)).replace(/[^\x20-\x7e]|%/g, escaped);
}

function isOver({ since }: Window): boolean {
  return performance.now() - since >= WINDOW_MS;
}

/** Writes one line. What the logger throws, at once or later, is ignored. */
function write(logger: Logger, level: Level, message: Line, error?: unknown): void {
  try {
    ignoreRejection(
      called(logger, level, `bluum-webhooks: ${typeof message === "string" ? message : message()}`, error),
    );
  } catch {
    // See above.
  }
}

function called(logger: Logger, level: Level, line: string, error: unknown): unknown {
  if (error === undefined) return logger[level](line);
  // A thrown text or number goes into the line: winston drops a second argument that is no object.
  if (Object(error) !== error) return logger[level](`${line}: ${String(error)}`);
  if (!takesErrorFirst(logger)) return logger[level](line, error);
  // An error as it is: bunyan prints one under `err` as `{}` unless it was given a serializer.
  const first = isError(error) ? error : { err: error };
  return (logger as unknown as Record<Level, (first: object, line: string) => unknown>)[level](first, line);
}

/** Whether it has the methods of pino or bunyan. winston has `child()`, too, and takes the line first. */
function takesErrorFirst(logger: Logger): boolean {
  const { child, bindings, addSerializers } = logger as unknown as Readonly<Record<string, unknown>>;
  return typeof child === "function" && (typeof bindings === "function" || typeof addSerializers === "function");
}
