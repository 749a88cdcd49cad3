import { Option } from "commander";
import {
  bluumSignature,
  type HmacSignatureOptions,
  hmacSignature,
  type SignatureScheme,
  type StandardWebhooksOptions,
  standardWebhooksSignature,
  type TimestampedSignatureOptions,
  timestampedSignature,
  WebhookError,
} from "../index.ts";
import { CommandFailed, EXIT } from "./exit.ts";

/** A preset of the package and its options: what `--scheme` names, and a `scheme:` line of code. */
export interface SchemeChoice {
  readonly preset: PresetName;
  readonly options: Readonly<Record<string, string | number>>;
}

/** The presets that `--scheme` knows, by the names of their schemes. */
type PresetName = "bluum" | "hmac" | "timestamped" | "standard-webhooks";

interface Preset {
  /** The function of the package that makes it. */
  readonly made: string;
  readonly make: (options: SchemeChoice["options"]) => SignatureScheme;
  /** Its options; those that are numbers are told by their unit. */
  readonly options: readonly string[];
}

// What the options hold is checked by those that take them.
const PRESETS: Readonly<Record<PresetName, Preset>> = {
  bluum: { made: "bluumSignature", make: () => bluumSignature(), options: [] },
  hmac: {
    made: "hmacSignature",
    make: (options) => hmacSignature(options as unknown as HmacSignatureOptions),
    options: ["header", "algorithm", "encoding", "prefix", "secretEncoding"],
  },
  timestamped: {
    made: "timestampedSignature",
    make: (options) => timestampedSignature(options as unknown as TimestampedSignatureOptions),
    options: ["header", "toleranceMs"],
  },
  "standard-webhooks": {
    made: "standardWebhooksSignature",
    make: (options) => standardWebhooksSignature(options as StandardWebhooksOptions),
    options: ["toleranceMs"],
  },
};

const NAMES = Object.keys(PRESETS).join(", ");

/** The option `--scheme`. */
export function schemeOption(): Option {
  return new Option(
    "--scheme <scheme>",
    "how deliveries are signed: a name, then options as in hmac:header=X-Sig,encoding=base64",
  )
    .argParser(parseScheme)
    .default({ preset: "bluum", options: {} } satisfies SchemeChoice, "bluum");
}

/** How `--scheme` is written, for the end of a help text. */
export const SCHEME_HELP: string = `Schemes (--scheme):
  bluum                     what Bluum is taken to send
  hmac:header=X-Sig         also algorithm, encoding, prefix, secretEncoding
  timestamped:header=X-Sig  t=…,v1=…; also toleranceMs
  standard-webhooks         also toleranceMs`;

/**
 * Reads `name`, or `name:option=value,option=value`. A value goes from the first `=` to the next comma.
 *
 * @throws CommandFailed `usage`, saying what is wrong
 */
export function parseScheme(text: string): SchemeChoice {
  const colon = text.indexOf(":");
  const preset = colon < 0 ? text : text.slice(0, colon);
  if (!Object.hasOwn(PRESETS, preset)) throw refused(`${JSON.stringify(preset)} is no scheme; there are ${NAMES}`);
  const choice = {
    preset: preset as PresetName,
    options: colon < 0 ? {} : parseOptions(preset as PresetName, text.slice(colon + 1)),
  };
  schemeOf(choice);
  return choice;
}

/**
 * The scheme that was chosen.
 *
 * @throws CommandFailed `usage` for options that cannot work
 */
export function schemeOf({ preset, options }: SchemeChoice): SignatureScheme {
  try {
    return PRESETS[preset].make(options);
  } catch (error) {
    if (error instanceof WebhookError) throw refused(error.message, error);
    throw error;
  }
}

/** A choice as `--scheme` takes it. */
export function schemeText({ preset, options }: SchemeChoice): string {
  const pairs = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? preset : `${preset}:${pairs.join(",")}`;
}

/** A choice as code, such as `hmacSignature({ header: "X-Sig" })`. */
export function schemeCode({ preset, options }: SchemeChoice): string {
  const pairs = Object.entries(options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return `${PRESETS[preset].made}(${pairs.length === 0 ? "" : `{ ${pairs.join(", ")} }`})`;
}

function parseOptions(preset: PresetName, text: string): SchemeChoice["options"] {
  const known = PRESETS[preset].options;
  const options: Record<string, string | number> = {};
  for (const pair of text.split(",")) {
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    if (!known.includes(name)) throw refused(`${JSON.stringify(name)} is no option of ${preset}; ${listed(known)}`);
    if (equals < 0) throw refused(`${name} has no value; write ${name}=…`);
    if (Object.hasOwn(options, name)) throw refused(`${name} is given twice`);
    options[name] = readValue(name, pair.slice(equals + 1));
  }
  return options;
}

function readValue(name: string, text: string): string | number {
  if (!name.endsWith("Ms")) return text;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw refused(`${name} must be a whole number of milliseconds`);
}

function listed(options: readonly string[]): string {
  return options.length === 0 ? "it has none" : `there are ${options.join(", ")}`;
}

function refused(problem: string, cause?: unknown): CommandFailed {
  return new CommandFailed(`--scheme: ${problem.replace(/\.?$/, ".")}`, EXIT.usage, { code: "scheme_invalid", cause });
}
