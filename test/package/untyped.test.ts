import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** An app that has the frameworks, but not their types. */
const APP = `
import { createReceiver } from "bluum-webhooks";
import * as express from "bluum-webhooks/express";
import * as koa from "bluum-webhooks/koa";
const receiver = createReceiver({ secret: "" });
export const routes = [
  express.bluumWebhooks(receiver, async (req, res) => res.status(204).end(express.bluumEvent(req).id)),
  express.bluumHandler(receiver),
  koa.bluumWebhooks(receiver),
  koa.bluumHandler(receiver),
];
`;

describe("without @types/express and @types/koa", () => {
  const folder = mkdtempSync(join(tmpdir(), "untyped-"));
  const installed = join(folder, "node_modules");

  beforeAll(() => {
    for (const name of ["dist", "package.json"])
      cpSync(root + name, join(installed, "bluum-webhooks", name), { recursive: true });
    mkdirSync(join(installed, "@types"));
    symlinkSync(`${root}node_modules/@types/node`, join(installed, "@types/node"));
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "app.ts"), APP);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("an app compiles with skipLibCheck off", () => {
    expect(compile("--strict --target es2022 --module nodenext --types node --skipLibCheck false")).toBe("");
  });

  /** @returns the compiler's errors */
  function compile(options: string): string {
    const args = [`${root}node_modules/typescript/bin/tsc`, "--noEmit", ...options.split(" "), "app.ts"];
    try {
      return execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  }
});
