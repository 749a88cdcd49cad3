// Packs the package and uses it as users do: installs the tarball into an empty folder with each major version of each framework, and
// sends signed deliveries over HTTP. Then compiles against it with each TypeScript, and tries the command line, the examples, and Jest in
// each configuration of docs/start/jest.md, and the inbox and the examples on each engine, if its server answers. `npm run test:tarball -- jest` runs
// that part alone; the other parts are frameworks, inbox and examples.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const APPS = fileURLToPath(new URL("try-tarball/", import.meta.url));
const FRAMEWORKS = [
  { app: "express.mjs", install: ["express@4"] },
  { app: "express.mjs", install: ["express@5", "@types/express@5", "@types/node@20"], types: "express.ts" },
  { app: "koa.mjs", install: ["koa@2"] },
  { app: "fastify.mjs", install: ["fastify@5", "@types/node@20"], types: "fastify.ts", skip: true },
  { app: "koa.mjs", install: ["koa@3", "@types/koa@3", "@types/node@20"], types: "koa.ts" },
  { app: "hono.mjs", install: ["hono@4", "@hono/node-server@2", "@types/node@20"], types: "hono.ts", skip: true },
  { app: "plain.mjs", install: [] },
  { app: "tools.mjs", install: [] },
];
const JEST = [
  { folders: ["javascript", "babel"], install: ["@babel/preset-env@7"] },
  {
    folders: ["ts-jest"],
    install: ["ts-jest@29", "typescript@5", "@types/express@5", "@types/supertest@7", "@types/node@20"],
  },
  { folders: ["javascript", "modules"], install: [] },
];
/** The engines of the inbox, and where their servers are. */
const ENGINES = {
  sqlite: undefined,
  bullmq: process.env.REDIS_URL ?? "redis://127.0.0.1:6379",
  "pg-boss": process.env.DATABASE_URL ?? "postgres://127.0.0.1:5432",
};
/** The examples, by which script each listens, and the engine whose server it needs. */
const EXAMPLES = [
  { name: "express" },
  { name: "koa" },
  { name: "hono" },
  { name: "inbox-sqlite" },
  { name: "inbox-bullmq", engine: "bullmq" },
  { name: "postgres-exactly-once", engine: "pg-boss" },
  { name: "production", engine: "pg-boss" },
  { name: "observability", script: "app" },
];
const ENGINE_PACKAGES = ["libsql@0.5", "bullmq@6", "ioredis@5", "pg-boss@10", "pg@8"];
const COMPILER_OPTIONS = "--noEmit --strict --target es2022 --types node".split(" ");
const RESOLUTIONS = [
  "--module nodenext --moduleResolution nodenext".split(" "),
  "--module esnext --moduleResolution bundler".split(" "),
];
const COMPILERS = ["typescript-5.4", "typescript-5.9", "typescript"].map((name) =>
  resolve("node_modules", name, "bin/tsc"),
);

const wanted = (part) => process.argv.length < 3 || process.argv.includes(part);

const work = mkdtempSync(join(tmpdir(), "bluum-webhooks-"));
try {
  run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", work], process.cwd());
  const tarball = join(
    work,
    readdirSync(work).find((name) => name.endsWith(".tgz")),
  );
  if (wanted("frameworks")) for (const framework of FRAMEWORKS) tryOut(framework, tarball);
  if (wanted("jest")) for (const configuration of JEST) tryJest(configuration, tarball);
  if (wanted("inbox")) await tryInbox(tarball);
  if (wanted("examples")) await tryExamples(tarball);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function tryJest({ folders, install }, tarball) {
  const folder = mkdtempSync(join(work, "jest-"));
  for (const name of folders) cpSync(join(APPS, "jest", name), folder, { recursive: true });
  npmInstall(folder, [tarball, "jest@30", "express@5", "supertest@7", "@opentelemetry/api@1", ...install]);
  run("npm", ["test"], folder);
  console.log(`ok: Jest, with ${folders.at(-1)}`);
}

/** Runs the program of docs/guides/inbox.md on each engine. */
async function tryInbox(tarball) {
  const folder = mkdtempSync(join(work, "inbox-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  cpSync(join(APPS, "inbox.mjs"), join(folder, "inbox.mjs"));
  npmInstall(folder, [tarball, "express@5", ...ENGINE_PACKAGES]);
  for (const engine of Object.keys(ENGINES)) {
    if (!(await isRunning(engine))) {
      console.log(`skipped: the inbox on ${engine}, whose server does not answer`);
      continue;
    }
    run(process.execPath, ["inbox.mjs", engine], folder);
    console.log(`ok: the inbox on ${engine}: killed, taken up, parked, redriven`);
  }
}

/** Whether the server of an engine answers, if it has one. */
async function isRunning(engine) {
  const server = ENGINES[engine];
  return server === undefined || answers(new URL(server));
}

/** Whether a server accepts connections there. */
async function answers({ hostname, port }) {
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Runs the demo from the installed package; copies each example from it, as examples/README.md says, and starts it. */
async function tryExamples(tarball) {
  const installed = mkdtempSync(join(work, "installed-"));
  writeFileSync(join(installed, "package.json"), JSON.stringify({ private: true }));
  npmInstall(installed, [tarball, "express@5"]);
  const examples = join(installed, "node_modules/bluum-webhooks/examples");
  run(process.execPath, [join(examples, "demo/demo.mjs")], installed);
  run("npm", ["start"], copied("demo"));
  for (const { name, script = "start", engine } of EXAMPLES) {
    if (engine !== undefined && !(await isRunning(engine))) {
      console.log(`skipped: the example ${name}, whose server does not answer`);
      continue;
    }
    const folder = copied(name);
    cpSync(join(APPS, "example.mjs"), join(folder, "example.mjs"));
    run(process.execPath, ["example.mjs", script], folder);
    if (name === "production") run("npm", ["ci", "--omit=dev", "--dry-run"], folder); // as its Dockerfile does
  }
  console.log("ok: the examples and the demo in the package");

  function copied(name) {
    const folder = mkdtempSync(join(work, "example-"));
    cpSync(join(examples, name), folder, { recursive: true });
    npmInstall(folder, [tarball]);
    return folder;
  }
}

function npmInstall(folder, packages = []) {
  run("npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefer-offline", ...packages], folder);
}

function tryOut({ app, install, types, skip }, tarball) {
  const folder = mkdtempSync(join(work, "app-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  cpSync(APPS, folder, { recursive: true });
  npmInstall(folder, [tarball, ...install]);
  run(process.execPath, [app], folder);
  // Hono's declarations need a newer TypeScript than 5.4; the declarations of this package and of the others are checked with 5.4, too.
  const options = skip ? [...COMPILER_OPTIONS, "--skipLibCheck"] : COMPILER_OPTIONS;
  for (const compiler of types ? COMPILERS : []) {
    for (const resolution of RESOLUTIONS) run(process.execPath, [compiler, ...options, ...resolution, types], folder);
  }
  console.log(`ok: ${install.join(" ") || app}${types ? ", with its types under each TypeScript" : ""}`);
}

function run(command, args, cwd) {
  try {
    execFileSync(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"], timeout: 180_000, encoding: "utf8" });
  } catch (error) {
    console.error(`failed: ${command} ${args.join(" ")}\n${error.stdout}${error.stderr}`);
    process.exit(1);
  }
}
