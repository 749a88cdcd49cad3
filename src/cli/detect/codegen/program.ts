import { headerName, wordingOf } from "../report/wording.ts";
import type { Content } from "../search/content.ts";
import type { Captured } from "../search/delivery.ts";
import type { Hypothesis } from "../search/hypothesis.ts";
import { textOf } from "../search/source.ts";
import { urlOf } from "../search/url-form.ts";
import { literal } from "./code-text.ts";
import { customScheme } from "./custom-scheme.ts";
import type { Preset } from "./preset.ts";

/** A program that makes the receiver, and what stands after `scheme:` in it. */
export interface Program {
  readonly scheme: string;
  readonly code: string | undefined;
}

const SECRET = "process.env.BLUUM_WEBHOOK_SECRET";

/** The program with one of the package's own schemes. */
export function presetProgram({ import: name, call, secretChange }: Preset): Program {
  const code = [
    `import { ${["createReceiver", name].sort().join(", ")} } from "bluum-webhooks";`,
    "",
    "export const receiver = createReceiver({",
    `  secret: ${secretExpression(secretChange)},`,
    `  scheme: ${call},`,
    "});",
  ];
  return { scheme: call, code: `${code.join("\n")}\n` };
}

/** The program with a scheme of its own. */
export function programOf(hypothesis: Hypothesis, captures: readonly Captured[], idIsEvents: boolean): Program {
  const url = signedUrl(hypothesis.content, captures);
  if (url === undefined && hypothesis.content.some(({ kind }) => kind === "url")) {
    return { scheme: "", code: undefined };
  }
  const first = captures[0] as Captured;
  const { imports, code } = customScheme({
    hypothesis,
    description: descriptionOf(hypothesis, first),
    nameOf: (header) => headerName(header, first),
    url,
    notInIds: notInIds(hypothesis.content, captures),
    idIsEvents,
  });
  const receiver = ["export const receiver = createReceiver({", `  secret: ${SECRET},`, "  scheme,", "});"];
  return { scheme: "scheme", code: `${[...imports, "", code, "", ...receiver].join("\n")}\n` };
}

/** The URL that is signed, where it is the same in all captures: a scheme can only know it beforehand. */
export function signedUrl(content: Content, captures: readonly Captured[]): string | undefined {
  const part = content.find(({ kind }) => kind === "url");
  if (part?.kind !== "url") return undefined;
  const urls = new Set(captures.map((captured) => urlOf(part.form, captured)));
  return urls.size === 1 ? [...urls][0] : undefined;
}

/** How the secret is given, where the scheme needs it otherwise than the provider shows it. */
function secretExpression(change: Preset["secretChange"]): string {
  if (change === undefined) return SECRET;
  if ("add" in change) return `\`${change.add}\${${SECRET}}\``;
  return `${SECRET}?.slice(${literal(change.cut)}.length)`;
}

function descriptionOf(hypothesis: Hypothesis, captured: Captured): string {
  const { header, signature, signed } = wordingOf(hypothesis, captured);
  return `${header}: ${signature}, of ${signed}`;
}

/** The text between an id and what stands beside it: an id that held it could be cut elsewhere. */
function notInIds(content: Content, captures: readonly Captured[]): string {
  const place = content.findIndex(({ kind }) => kind === "id");
  const part = content[place];
  const beside = content[place + 1] ?? content[place - 1];
  if (part === undefined || !("source" in part) || beside?.kind !== "text") return "";
  const isFree = captures.every((captured) => !textOf(part.source, captured)?.includes(beside.text));
  return isFree ? beside.text : "";
}
