import type { Command } from "commander";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Terminal } from "../terminal.ts";

/** The options for where an inbox is, as commander parses them. */
export interface InboxOptions {
  readonly sqlite?: string;
  /** True without a value: the URL is in the environment. */
  readonly redis?: string | true;
  readonly postgres?: string | true;
  readonly queue?: string;
  readonly table?: string;
  readonly prefix?: string;
  readonly schema?: string;
}

/** Where an inbox is. */
export type InboxPlace =
  | { readonly engine: "sqlite"; readonly file: string; readonly table: string }
  | { readonly engine: "redis"; readonly url: string; readonly queue: string; readonly prefix: string }
  | { readonly engine: "postgres"; readonly url: string; readonly queue: string; readonly schema: string };

/** Adds the options that {@link placeOf} reads. */
export function withInboxOptions(command: Command): Command {
  return command
    .option("--sqlite <file>", "the SQLite file of the inbox")
    .option("--redis [url]", "the Redis of the inbox's BullMQ queue (default: the variable REDIS_URL)")
    .option("--postgres [url]", "the PostgreSQL of the inbox's pg-boss queue (default: the variable DATABASE_URL)")
    .option("-q, --queue <name>", "the name of the queue, with --redis and --postgres")
    .option("--table <name>", `the inbox's table, with --sqlite (default: ${DEFAULTS.table})`)
    .option("--prefix <prefix>", `the prefix of BullMQ's keys, with --redis (default: ${DEFAULTS.prefix})`)
    .option("--schema <name>", `the schema of pg-boss, with --postgres (default: ${DEFAULTS.schema})`);
}

const DEFAULTS = { table: "bluum_webhook_inbox", prefix: "bull", schema: "pgboss" } as const;

/** The options that each engine takes. */
const TAKES = {
  sqlite: ["table"],
  redis: ["queue", "prefix"],
  postgres: ["queue", "schema"],
} as const;

type Engine = InboxPlace["engine"];

/**
 * Where the inbox is, by the options.
 *
 * @throws CommandFailed `usage`; the message does not contain a URL, which may contain a password
 */
export function placeOf(options: InboxOptions, env: Terminal["env"]): InboxPlace {
  const [engine, ...others] = (Object.keys(TAKES) as Engine[]).filter((name) => options[name] !== undefined);
  if (engine === undefined || others.length > 0)
    throw usage("name one inbox: --sqlite <file>, --redis [url] --queue <name>, or --postgres [url] --queue <name>.");
  refuseForeign(engine, options);
  if (engine === "sqlite") {
    const { sqlite: file = "", table = DEFAULTS.table } = options;
    return { engine, file, table };
  }
  const { queue, prefix = DEFAULTS.prefix, schema = DEFAULTS.schema } = options;
  if (!queue) throw usage(`--${engine} needs the name of the inbox's queue: --queue <name>.`);
  if (engine === "redis") return { engine, url: urlOf(engine, options.redis, env.REDIS_URL), queue, prefix };
  return { engine, url: urlOf(engine, options.postgres, env.DATABASE_URL), queue, schema };
}

function refuseForeign(engine: Engine, options: InboxOptions): void {
  const foreign = (["queue", "table", "prefix", "schema"] as const).find(
    (name) => options[name] !== undefined && !(TAKES[engine] as readonly string[]).includes(name),
  );
  if (foreign !== undefined) throw usage(`--${foreign} does not go with --${engine}.`);
}

const SERVERS = {
  redis: { protocols: ["redis:", "rediss:"], variable: "REDIS_URL" },
  postgres: { protocols: ["postgres:", "postgresql:"], variable: "DATABASE_URL" },
} as const;

function urlOf(engine: keyof typeof SERVERS, given: string | true | undefined, inherited: string | undefined): string {
  const { protocols, variable } = SERVERS[engine];
  const [text, name] = typeof given === "string" ? [given, `--${engine}`] : [inherited, variable];
  if (!text) throw usage(`--${engine} needs a URL, or the variable ${variable}.`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // With a / or # in the password, that character ends the host, and the rest of the password is no password any more.
  const isSplit = url !== undefined && (url.pathname.includes("@") || url.hash !== "");
  if (url !== undefined && !isSplit && (protocols as readonly string[]).includes(url.protocol)) return text;
  throw usage(
    `${name} must be a URL that begins with ${protocols.join("// or ")}//. Special characters of its password must be percent-encoded.`,
  );
}

function usage(message: string): CommandFailed {
  return new CommandFailed(message, EXIT.usage);
}
