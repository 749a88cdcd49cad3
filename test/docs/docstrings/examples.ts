// The examples of docstrings may be parts of programs. A name that one uses and does not declare is imported from its door, from the main
// door or from another one, or is the reader's own and declared here.
import { join } from "node:path";
import ts from "typescript-5.9";
import { ROOT } from "../markdown.ts";
import { DOORS, type Door, exportsOf, programOf } from "./doors.ts";

/** An example of a docstring. */
export interface Example {
  readonly door: Door;
  readonly file: string;
  /** The line of its first line of code. */
  readonly line: number;
  readonly code: string;
}

/** What readers have, by the name that examples give it. */
const READERS_OWN: Readonly<Record<string, string>> = {
  Database: `import Database from "better-sqlite3"`,
  IncomingMessage: `import type { IncomingMessage } from "node:http"`,
  PgBoss: `import PgBoss from "pg-boss"`,
  Pool: `import { Pool } from "pg"`,
  QueueUrl: `declare const QueueUrl: string`,
  Redis: `import { Redis } from "ioredis"`,
  SendMessageCommand: `declare class SendMessageCommand { constructor(input: { QueueUrl: string; MessageBody: string }) }`,
  app: `declare const app: import("express").Express`,
  book: `declare function book(data: object): Promise<void>`,
  client: `declare const client: object`,
  database: `declare const database: import("better-sqlite3").Database`,
  express: `import express from "express"`,
  handler: `declare const handler: import("express").RequestHandler`,
  http: `import http from "node:http"`,
  inbox: `declare const inbox: import("bluum-webhooks").Inbox`,
  isAdmin: `declare function isAdmin(request: object): boolean`,
  it: `import { it } from "vitest"`,
  log: `declare const log: { error(error: Error): void }`,
  myInbox: `declare function myInbox(client: object, options: object): import("bluum-webhooks").Inbox`,
  myStore: `declare function myStore(client: object): import("bluum-webhooks").DedupeStore`,
  pool: `declare const pool: import("pg").Pool`,
  queue: `declare const queue: { add(id: string, job: object): Promise<void>; process(work: (job: any) => unknown): void }`,
  receiver: `declare const receiver: import("bluum-webhooks").Receiver`,
  redis: `declare const redis: import("ioredis").Redis`,
  requireLogin: `declare const requireLogin: import("express").RequestHandler`,
  router: `declare const router: InstanceType<typeof import("@koa/router").default>`,
  secret: `declare const secret: string`,
  sqs: `declare const sqs: { send(command: object): Promise<void> }`,
  uniqueName: `declare function uniqueName(): string`,
};

/** What they have behind one door. */
const BEHIND: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "bluum-webhooks/fastify": { app: `declare const app: import("fastify").FastifyInstance` },
  "bluum-webhooks/hono": { app: `declare const app: import("hono").Hono` },
  "bluum-webhooks/testing": { app: `declare const app: import("hono").Hono` },
  "bluum-webhooks/stores/postgres": {
    store: `declare const store: import("bluum-webhooks/stores/postgres").PostgresStore`,
  },
  "bluum-webhooks/stores/sqlite": { store: `declare const store: import("bluum-webhooks/stores/sqlite").SqliteStore` },
};

/** The examples in the docstrings of some doors: of their own files, and of what they export. */
export function examplesOf(program: ts.Program, doors: readonly Door[]): Example[] {
  const examples = doors.flatMap((door) => {
    const declared = exportsOf(program, [door]).flatMap(({ declarations }) => declarations);
    const docs = [openingOf(program, door), ...declared.flatMap(docsIn)];
    return docs.flatMap((doc) => doc && exampleIn(door, doc)).filter((example) => example !== undefined);
  });
  // Of one that several doors have, the first counts: the main door, or the one that it belongs to.
  return [...new Map(examples.toReversed().map((example) => [`${example.file}:${example.line}`, example])).values()];
}

/** The compiler's errors about examples. */
export function complaintsAboutExamples(examples: readonly Example[]): string[] {
  const texts = new Map(examples.map((example) => [fileNameOf(example), programWith(example)]));
  const program = programOf([], Object.fromEntries([...texts].map(([file, lines]) => [file, lines.join("\n")])));
  return examples.flatMap((example) => {
    const source = program.getSourceFile(join(ROOT, fileNameOf(example)));
    const before = texts.get(fileNameOf(example))?.indexOf(FIRST_LINE) ?? 0;
    return ts.getPreEmitDiagnostics(program, source).map(({ start = 0, messageText }) => {
      const line = (source?.getLineAndCharacterOfPosition(start).line ?? 0) - before - 1 + example.line;
      return `${example.file}:${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    });
  });
}

interface Doc {
  readonly file: ts.SourceFile;
  readonly position: number;
  readonly text: string;
}

/** The comment at the top of a door's file. */
function openingOf(program: ts.Program, { source }: Door): Doc | undefined {
  const file = program.getSourceFile(join(ROOT, source));
  const [text] = /^\/\*\*.*?\*\//s.exec(file?.text ?? "") ?? [];
  return file && text !== undefined ? { file, position: 0, text } : undefined;
}

/** The docstrings of a declaration and of its members. */
function docsIn(declaration: ts.Node): Doc[] {
  const owner = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  const docs: Doc[] = [];
  visit(owner);
  return docs;

  function visit(node: ts.Node): void {
    for (const doc of ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc))
      docs.push({ file: doc.getSourceFile(), position: doc.getStart(), text: doc.getText() });
    if (ts.isClassElement(node) && node !== owner) return;
    ts.forEachChild(node, (child) => (ts.isBlock(child) ? undefined : visit(child)));
  }
}

function exampleIn(door: Door, { file, position, text }: Doc): Example | undefined {
  const [whole, before = "", commented = ""] = /^(.*?@example\n)(.*?)(?=\n *\* @\w|\n *\*\/)/s.exec(text) ?? [];
  if (whole === undefined) return undefined;
  return {
    door,
    file: file.fileName.replace(ROOT, ""),
    line: file.getLineAndCharacterOfPosition(position + before.length).line + 1,
    code: commented.replace(/^ *\* ?/gm, ""),
  };
}

const FIRST_LINE = "export {};";

/** The lines of a module with the example. */
function programWith({ door, code }: Example): string[] {
  const names = freeNames(code);
  const others = DOORS.filter(({ name }) => name !== door.name);
  const lines = names.flatMap((name) => {
    const exporting = [door, ...others].find((each) => NAMES.get(each.name)?.has(name));
    const own = BEHIND[door.name]?.[name] ?? READERS_OWN[name];
    if (own !== undefined) return `${own};`;
    return exporting ? `import { ${name} } from "${exporting.name}";` : [];
  });
  return [...lines, FIRST_LINE, code];
}

const NAMES: ReadonlyMap<string, ReadonlySet<string>> = namesOfDoors();

function namesOfDoors(): Map<string, Set<string>> {
  const exported = exportsOf(programOf(DOORS.map(({ source }) => source)), DOORS);
  const names = DOORS.map(({ name }) => [name, exported.filter(({ door }) => door.name === name)] as const);
  return new Map(names.map(([name, all]) => [name, new Set(all.map((each) => each.name))]));
}

/** The names that a text uses and does not declare. */
function freeNames(code: string): string[] {
  const used = new Set<string>();
  const declared = new Set<string>();
  visit(ts.createSourceFile("example.ts", code, ts.ScriptTarget.ES2023, true));
  return [...used].filter((name) => !declared.has(name));

  function visit(node: ts.Node): void {
    const { name } = node as { name?: ts.Node };
    if (name && ts.isIdentifier(name) && !ts.isPropertyAccessExpression(node) && !ts.isPropertyAssignment(node))
      if (ts.isShorthandPropertyAssignment(node)) used.add(name.text);
      else declared.add(name.text);
    if (ts.isIdentifier(node)) used.add(node.text);
    ts.forEachChild(node, visit);
  }
}

function fileNameOf({ file, line }: Example): string {
  return `test/docs/docstrings/${file.replace(/\W/g, "-")}-${line}.ts`;
}
