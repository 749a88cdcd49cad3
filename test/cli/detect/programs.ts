import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Capture } from "../../../src/cli/capture.ts";
import type { Outcome, Receiver, SignatureScheme } from "../../../src/index.ts";
import { ROOT } from "../../docs/markdown.ts";
import { headersOf } from "./captures.ts";

/** The exports of a printed program. */
export interface PrintedProgram {
  readonly receiver: Receiver;
  /** The scheme, if the program contains it in full. */
  readonly scheme: SignatureScheme | undefined;
}

/** A folder of printed programs. They are unchanged except for the path of the package and the clock. */
export class Programs {
  readonly #folder: string;
  #count = 0;

  constructor(name: string) {
    this.#folder = `${ROOT}.tmp/detect-${name}-${process.pid}/`;
    mkdirSync(this.#folder, { recursive: true });
  }

  /** Imports a program, with this secret in its environment and this time. */
  async run(code: string, secret: string, nowMs: number): Promise<PrintedProgram> {
    this.#count += 1;
    const path = `${this.#folder}program-${this.#count}.ts`;
    const here = code
      .replaceAll('"bluum-webhooks"', '"../../src/index.ts"')
      .replace("createReceiver({", `createReceiver({ logger: false, now: () => ${nowMs},`);
    writeFileSync(path, code.includes("const scheme:") ? `${here}export { scheme };\n` : here);
    const before = process.env.BLUUM_WEBHOOK_SECRET;
    process.env.BLUUM_WEBHOOK_SECRET = secret;
    try {
      return await import(/* @vite-ignore */ path);
    } finally {
      if (before === undefined) delete process.env.BLUUM_WEBHOOK_SECRET;
      else process.env.BLUUM_WEBHOOK_SECRET = before;
    }
  }

  /** Compiles all imported programs with strict settings, and returns the compiler's errors. */
  async compile(): Promise<string> {
    const compilerOptions = {
      rootDir: ROOT,
      isolatedDeclarations: false,
      declaration: false,
      typeRoots: [`${ROOT}node_modules/@types`],
    };
    writeFileSync(
      `${this.#folder}tsconfig.json`,
      JSON.stringify({ extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"], exclude: [] }),
    );
    const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
    const compiled = promisify(execFile)(process.execPath, [compiler, "-p", this.#folder]);
    return compiled.then(
      () => "",
      (error: { stdout: string }) => error.stdout,
    );
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Receives a capture with the receiver of a program. */
export function receive(
  { receiver }: PrintedProgram,
  capture: Capture,
  body: string | undefined = capture.body,
): Promise<Outcome> {
  return receiver.receive({
    method: capture.method,
    headers: headersOf(capture),
    body: Buffer.from(body ?? "", "utf8"),
  });
}

/** The code of a rejection, or the kind of another outcome. */
export function refusalOf(outcome: Outcome): string {
  return outcome.kind === "rejected" ? outcome.error.code : outcome.kind;
}
