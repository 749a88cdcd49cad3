// How the snippets of the documentation are tested. Each is a whole program, and its text decides how it is run:
//   it imports node:test     a test: it is run and must pass
//   it calls fetch           a sender: it is run against a receiver, and must print its answer
//   it exports receiver      mounted on an HTTP server here, then driven as a server
//   it exports POST          likewise
//   it exports a default     an API route of Next.js: mounted by Next.js's own resolver
//   it exports inbox         given to a receiver whose handler prints, with its worker, mounted likewise
//   it registers a function  mounted on the server of Google's functions framework
//   it reads PORT            a server: deliveries are sent to each of its paths
//   it exports anything else a part of a program: compiled here, and run by another test
// A snippet that reads REDIS_URL or DATABASE_URL is run if there is such a server.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type CodeBlock, codeBlocks, ROOT } from "./markdown.ts";

/** A snippet, ready to be compiled and run. */
export interface Snippet extends CodeBlock {
  /** How to find it: page and line. */
  readonly name: string;
  readonly kind: "test" | "sender" | "module" | "server" | "part";
  /** The variables with the addresses of servers that it needs. */
  readonly needs: readonly ("REDIS_URL" | "DATABASE_URL")[];
  /** The compiled program. */
  readonly program: string;
}

/** Under the root, so that the package's name resolves to the built package. */
const FOLDER = `${ROOT}.tmp/snippets-${process.pid}/`;

/** The reader's own modules that snippets import. */
const READERS_OWN = {
  "queue.ts": `
    interface Job { readonly id: string; readonly payload: unknown }
    type Worker = (job: Job) => Promise<void>;
    const known = new Set<string>();
    const workers: Worker[] = [];
    export const queue = {
      async add(job: Job, { jobId }: { jobId: string }): Promise<void> {
        if (known.has(jobId)) return;
        known.add(jobId);
        for (const work of workers) await work(job);
      },
      process(work: Worker): void { workers.push(work); },
    };`,
  "my-store.ts": blockWith("docs/guides/writing-a-store.md", "export function compareAndSetStore("),
  "my-backend.ts": blockWith("docs/guides/writing-a-store.md", "export function connect("),
  "login.ts": `
    import type { IncomingMessage, ServerResponse } from "node:http";
    interface User { readonly role: string }
    export function userOf(cookie: string | null | undefined): User | undefined {
      const [, role] = /^session=(\\w+)$/.exec(cookie ?? "") ?? [];
      return role === undefined ? undefined : { role };
    }
    export function requireLogin(request: IncomingMessage, response: ServerResponse, next: () => void): void {
      if (userOf(request.headers.cookie) !== undefined) next();
      else response.writeHead(302, { location: "/login" }).end();
    }`,
};

/** A block of a page, which other snippets import from a file of its own. */
function blockWith(page: string, text: string): string {
  return codeBlocks(page).find(({ code }) => code.includes(text))?.code ?? "";
}

/** The TypeScript snippets of pages, in order. */
export function snippetsOf(pages: readonly string[]): Snippet[] {
  return pages
    .flatMap(codeBlocks)
    .filter(({ language }) => language === "ts")
    .map((block) => ({
      ...block,
      name: `${block.page}:${block.line}`,
      kind: kindOf(block),
      needs: (["REDIS_URL", "DATABASE_URL"] as const).filter((variable) => block.code.includes(variable)),
      program: `${FOLDER}out/${fileName(block)}.js`,
    }));
}

/**
 * Compiles all of them, strictly. A snippet that merges into the package's types is compiled alone, since the merge applies to its
 * whole program.
 *
 * @throws with the compiler's findings; its line numbers are the page's
 */
export async function compileSnippets(snippets: readonly Snippet[]): Promise<void> {
  mkdirSync(`${FOLDER}node_modules`, { recursive: true });
  // Readers install it by its own name. Its newer versions do not run on every Node that runs these tests.
  symlinkSync(`${ROOT}node_modules/pg-boss10`, `${FOLDER}node_modules/pg-boss`);
  for (const [name, code] of Object.entries(READERS_OWN)) writeFileSync(FOLDER + name, code);
  for (const snippet of snippets) {
    writeFileSync(`${FOLDER}${fileName(snippet)}.ts`, "\n".repeat(snippet.line - 1) + snippet.code);
  }
  const merging = snippets.filter(({ code }) => code.includes("declare module"));
  const others = snippets.filter((snippet) => !merging.includes(snippet));
  for (const group of [others, ...merging.map((snippet) => [snippet])]) await compile(group);
}

/** Removes the compiled snippets. */
export function removeSnippets(): void {
  rmSync(FOLDER, { recursive: true, force: true });
}

/** Runs a program to its end and returns its output. Fails if its exit code is not 0. */
export async function runToEnd(program: string, env: Record<string, string>): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program], {
    cwd: FOLDER,
    env: { ...process.env, ...env },
  });
  return stdout;
}

/** A program that listens. */
export interface Running {
  readonly url: string;
  /** Waits until it has printed this: what came through an inbox is handled after the answer. */
  prints(text: string): Promise<void>;
  /** Ends it, by its id, and returns its output. */
  stop(): Promise<string>;
}

/** Starts a snippet and waits until it listens. One that only exports is mounted on a server. */
export async function start(snippet: Snippet, env: Record<string, string>): Promise<Running> {
  const port = await freePort();
  const program = snippet.kind === "module" ? mounted(snippet) : snippet.program;
  const child = spawn(process.execPath, [program], {
    cwd: FOLDER, // where a file that it makes is removed with all the rest
    env: { ...process.env, ...env, PORT: String(port) },
  });
  const output: string[] = [];
  child.stdout.on("data", (text) => output.push(String(text)));
  child.stderr.on("data", (text) => output.push(String(text)));
  const closed = once(child, "close");
  await listening(port, child).catch((error: Error) => {
    throw new Error(`${snippet.name} ${error.message}\n${output.join("")}`);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async prints(text) {
      while (!output.join("").includes(text) && child.exitCode === null) await sleep(20);
    },
    async stop() {
      child.kill();
      await closed;
      return output.join("");
    },
  };
}

function kindOf({ code, page, line }: CodeBlock): Snippet["kind"] {
  if (code.includes('"node:test"')) return "test";
  if (code.includes("await fetch(")) return "sender";
  if (/^export (const|function|async function) (receiver|POST|inbox)\b/m.test(code)) return "module";
  // An object with a fetch is a worker's module, which test/docs/start.test.ts takes; a function is a route.
  if (/^export default [^{]/m.test(code) || code.includes('"@google-cloud/functions-framework"')) return "module";
  if (code.includes("process.env.PORT")) return "server";
  if (/^export /m.test(code)) return "part";
  throw new Error(`${page}:${line}: there is no way to run this snippet; see the head of test/docs/snippets.ts`);
}

function fileName({ page, line }: CodeBlock): string {
  return `${page.replace(/\W/g, "-")}-${line}`;
}

async function compile(snippets: readonly Snippet[]): Promise<void> {
  const [first] = snippets;
  if (first === undefined) return;
  const project = `${FOLDER}${fileName(first)}.json`;
  const compilerOptions = {
    ...{ target: "es2022", lib: ["es2022"], module: "nodenext", types: ["node"], strict: true, skipLibCheck: true },
    ...{ exactOptionalPropertyTypes: true, noUnusedLocals: true, verbatimModuleSyntax: true, esModuleInterop: true },
    experimentalDecorators: true, // as every NestJS project has it
    ...{ rootDir: FOLDER, outDir: `${FOLDER}out` },
  };
  writeFileSync(project, JSON.stringify({ compilerOptions, files: snippets.map((each) => `${fileName(each)}.ts`) }));
  await promisify(execFile)(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`, "-p", project]).catch(
    (error) => {
      throw new Error(`The snippets do not compile:\n${error.stdout}`);
    },
  );
}

/** A program that mounts the snippet's exports on a server. */
function mounted({ program }: Snippet): string {
  const mount = program.replace(/\.js$/, "-mounted.js");
  writeFileSync(
    mount,
    `import * as snippet from ${JSON.stringify(program)};
     import { createServer } from "node:http";
     import { serve } from "@hono/node-server";
     import { createReceiver } from "bluum-webhooks";
     import { bluumHandler } from "bluum-webhooks/node";
     const port = Number(process.env.PORT);
     if ("POST" in snippet) serve({ fetch: snippet.POST, port });
     else if ("receiver" in snippet) createServer(bluumHandler(snippet.receiver)).listen(port);
     else if ("inbox" in snippet) {
       const { inbox } = snippet;
       const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET, namespace: "snippets", inbox });
       receiver.on("order.filled", (event) => console.log("filled at", event.data.average_price));
       receiver.work();
       createServer(bluumHandler(receiver)).listen(port);
     }
     else if ("default" in snippet) {
       const { apiResolver } = await import("next/dist/server/api-utils/node/api-resolver.js");
       createServer((req, res) => apiResolver(req, res, {}, snippet, {}, false)).listen(port);
     } else {
       const { getTestServer } = await import("@google-cloud/functions-framework/testing");
       getTestServer("bluum").listen(port);
     }`,
  );
  return mount;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

/** Resolves once a server listens on the port; rejects if the program ends before. */
async function listening(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const socket = connect(port, "127.0.0.1");
    const connected = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return;
    await sleep(20);
  }
  throw new Error("ended before it listened");
}
