import { ignoreRejection } from "./async.ts";
import { WebhookError } from "./errors.ts";

/**
 * Checks the options of one function. Each check returns the value, or throws an error with the code `configuration_invalid` and a
 * message that names the function and the option: `redisStore: timeoutMs must be a whole number from 1 to 10000`.
 */
export interface OptionChecks {
  /** The error for an option that cannot work, or for another mistake in how the function is used. */
  invalid(option: string, problem: string, cause?: unknown): Error;
  /** Refuses a value that is not an object, and options that do not exist: a misspelt one would silently keep its default. */
  names(options: object, known: readonly string[]): void;
  /** A whole number from `least` to `most`, both included. */
  integer(option: string, value: number, least: number, most?: number): number;
  /** One of the texts in `choices`. */
  oneOf<T extends string>(option: string, value: T, choices: readonly T[]): T;
  /** True or false. */
  boolean(option: string, value: boolean): boolean;
  /** A function, or undefined. */
  callable<T>(option: string, value: T): T;
  /** An object that has these methods. */
  methods<T extends object>(option: string, value: T, methods: readonly (string & keyof T)[]): T;
}

/** The class of the errors that the checks throw. */
type ConfigurationError = new (code: "configuration_invalid", message: string, details: object) => Error;

/**
 * Makes the checks for the options of one function.
 *
 * @param owner the function's name, such as `"redisStore"`
 * @param ErrorClass the class of the errors. @default WebhookError
 */
export function checksFor(owner: string, ErrorClass: ConfigurationError = WebhookError): OptionChecks {
  const invalid = (option: string, problem: string, cause?: unknown) =>
    new ErrorClass("configuration_invalid", `${owner}: ${option} ${problem}`, cause === undefined ? {} : { cause });
  return {
    invalid,

    names(options, known) {
      if (typeof options !== "object" || options === null) throw invalid("options", "must be an object");
      const unknown = Object.keys(options).find((name) => !known.includes(name));
      if (unknown !== undefined) throw invalid(unknown, `is no option; there are ${known.join(", ")}`);
    },

    integer(option, value, least, most = Number.MAX_SAFE_INTEGER) {
      if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
      const bounds = most === Number.MAX_SAFE_INTEGER ? `${least} up` : `${least} to ${most}`;
      throw invalid(option, `must be a whole number from ${bounds}`);
    },

    oneOf(option, value, choices) {
      if (choices.includes(value)) return value;
      throw invalid(option, `must be one of ${choices.join(", ")}`);
    },

    boolean(option, value) {
      if (typeof value === "boolean") return value;
      throw invalid(option, "must be true or false");
    },

    callable(option, value) {
      if (value === undefined || typeof value === "function") return value;
      throw invalid(option, "must be a function");
    },

    methods(option, value, methods) {
      const missing = methods.find(
        (method) => typeof (value as Record<string, unknown> | null)?.[method] !== "function",
      );
      if (missing === undefined) return value;
      throw invalid(option, `has no method ${missing}`);
    },
  };
}

/**
 * The milliseconds that a `now` option returned, as a number or a `Date`; NaN for anything else, a promise included. Callers must check
 * for NaN: every comparison with it is false, so no event would be too old.
 */
export function clockMs(time: unknown): number {
  const ms = time instanceof Date ? time.getTime() : time;
  if (Number.isFinite(ms)) return ms as number;
  ignoreRejection(time);
  return Number.NaN;
}
