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

/** One of the package's schemes with its options. */
export interface SchemeChoice {
  readonly preset: PresetName;
  readonly options: Readonly<Record<string, string | number>>;
}

/** The names of schemes in `--scheme`. */
type PresetName = "bluum" | "hmac" | "timestamped" | "standard-webhooks";

interface Preset {
  /** The name of the package's function. */
  readonly functionName: string;
  readonly make: (options: SchemeChoice["options"]) => SignatureScheme;
  /** The names of the options. Those that end in `Ms` are numbers. */
  readonly options: readonly string[];
}

// The functions check the values of the options.
const PRESETS: Readonly<Record<PresetName, Preset>> = {
  bluum: { functionName: "bluumSignature", make: () => bluumSignature(), options: [] },
  hmac: {
    functionName: "hmacSignature",
    make: (options) => hmacSignature(options as unknown as HmacSignatureOptions),
    options: ["header", "algorithm", "encoding", "prefix", "secretEncoding"],
  },
  timestamped: {
    functionName: "timestampedSignature",
    make: (options) => timestampedSignature(options as unknown as TimestampedSignatureOptions),
    options: ["header", "toleranceMs"],
  },
  "standard-webhooks": {
    functionName: "standardWebhooksSignature",
    make: (options) => standardWebhooksSignature(options as StandardWebhooksOptions),
    options: ["toleranceMs"],
  },
};

const NAMES = Object.keys(PRESETS).join(", ");

/** The option `--scheme`. */
export function schemeOption(): Option {
  return new Option(
    "--scheme <scheme>",
    "the signature scheme: a name and options, as in hmac:header=X-Sig,encoding=base64",
  )
    .argParser(parseScheme)
    .default({ preset: "bluum", options: {} } satisfies SchemeChoice, "bluum");
}

/** The help text about `--scheme`. */
export const SCHEME_HELP: string = `Schemes (--scheme):
  bluum                     Bluum's assumed scheme
  hmac:header=X-Sig         also algorithm, encoding, prefix, secretEncoding
  timestamped:header=X-Sig  t=…,v1=…; also toleranceMs
  standard-webhooks         also toleranceMs`;

/**
 * Parses `name`, or `name:option=value,option=value`. A value ends at the next comma.
 *
 * @throws CommandFailed `usage`
 */
export function parseScheme(text: string): SchemeChoice {
  const colon = text.indexOf(":");
  const preset = colon < 0 ? text : text.slice(0, colon);
  if (!Object.hasOwn(PRESETS, preset))
    throw refused(`${JSON.stringify(preset)} is not a scheme; the schemes are ${NAMES}`);
  const choice = {
    preset: preset as PresetName,
    options: colon < 0 ? {} : parseOptions(preset as PresetName, text.slice(colon + 1)),
  };
  schemeOf(choice);
  return choice;
}

/**
 * Creates the scheme of a choice.
 *
 * @throws CommandFailed `usage` for invalid options
 */
export function schemeOf({ preset, options }: SchemeChoice): SignatureScheme {
  try {
    return PRESETS[preset].make(options);
  } catch (error) {
    if (error instanceof WebhookError) throw refused(error.message, error);
    throw error;
  }
}

/** A choice as a value of `--scheme`. */
export function schemeText({ preset, options }: SchemeChoice): string {
  const pairs = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? preset : `${preset}:${pairs.join(",")}`;
}

/** A choice as code, such as `hmacSignature({ header: "X-Sig" })`. */
export function schemeCode({ preset, options }: SchemeChoice): string {
  const pairs = Object.entries(options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return `${PRESETS[preset].functionName}(${pairs.length === 0 ? "" : `{ ${pairs.join(", ")} }`})`;
}

function parseOptions(preset: PresetName, text: string): SchemeChoice["options"] {
  const known = PRESETS[preset].options;
  const options: Record<string, string | number> = {};
  for (const pair of text.split(",")) {
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    if (!known.includes(name))
      throw refused(`${JSON.stringify(name)} is not an option of ${preset}; ${listOptions(known)}`);
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

function listOptions(options: readonly string[]): string {
  return options.length === 0 ? "it has none" : `the options are ${options.join(", ")}`;
}

function refused(problem: string, cause?: unknown): CommandFailed {
  return new CommandFailed(`--scheme: ${problem.replace(/\.?$/, ".")}`, EXIT.usage, { code: "scheme_invalid", cause });
}
