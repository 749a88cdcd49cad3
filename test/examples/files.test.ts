import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { brokenLinks } from "../docs/links.ts";
import { ROOT } from "../docs/markdown.ts";
import { importsOf, programsOf } from "./imports.ts";
import { installed, startProgram } from "./programs.ts";

const EXAMPLES = `${ROOT}examples/`;
const names = readdirSync(EXAMPLES, { withFileTypes: true }).flatMap((each) => (each.isDirectory() ? [each.name] : []));
/** Variables that a library of an example reads by itself. */
const READ_BY_LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  production: ["OTEL_EXPORTER_PROMETHEUS_PORT"],
};

const textOf = (path: string) => readFileSync(EXAMPLES + path, "utf8");
const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, first = ""]) => first);
const inOrder = (list: readonly string[]) => [...new Set(list)].toSorted();

describe.each(names)("examples/%s", (name) => {
  const { scripts, dependencies } = JSON.parse(textOf(`${name}/package.json`));

  it("names every variable that it reads in .env.example, and no other", () => {
    const code = programsOf(name).join("\n");
    const destructured = matches(code, /const \{([^}]*)\} = process\.env;/g).join(",");
    const read = [
      ...matches(code, /process\.env\.(\w+)/g),
      ...matches(destructured, /(?:^|,)\s*(\w+)/g),
      ...variablesOfCompose(name),
      ...(READ_BY_LIBRARIES[name] ?? []),
    ];
    const named = matches(textOf(`${name}/.env.example`), /^(?:# )?([A-Z][A-Z0-9_]*)=/gm);
    expect(named.toSorted()).toEqual(inOrder(read));
  });

  it("has a script `start`, and each of its scripts reads .env", () => {
    expect(scripts).toHaveProperty("start");
    for (const script of Object.values(scripts))
      expect(script).toMatch(/^(node --import \.\/env\.mjs [\w-]+\.mjs|npm run \w+)( |$)/);
    for (const program of matches(Object.values(scripts).join("\n"), /(\S+\.mjs)/g)) {
      expect(existsSync(`${EXAMPLES}${name}/${program}`), program).toBe(true);
    }
    expect(textOf(`${name}/env.mjs`)).toBe(textOf("express/env.mjs"));
  });

  it("lists exactly its imports in its package.json", () => {
    expect(Object.keys(dependencies).toSorted()).toEqual(importsOf(name));
  });

  it("has one line in the README", () => {
    expect(matches(textOf("README.md"), /^\| \[([\w-]+)\]\(\1\) \|/gm)).toContain(name);
  });
});

describe("env.mjs", () => {
  it("reads .env if it exists, and a variable that is set wins", async () => {
    const folder = installed("express", "-env");
    try {
      const start = ["./env.mjs", "app.mjs"];
      const without = startProgram(
        folder,
        "--import",
        { BLUUM_WEBHOOK_SECRET: "a secret of 16 bytes", PORT: "0" },
        start,
      );
      await without.says(/listening on \d+\n/);
      await without.stop();
      writeFileSync(`${folder}/.env`, `${textOf("express/.env.example")}PORT=none\n`);
      const { BLUUM_WEBHOOK_SECRET: _, ...env } = process.env;
      const reads = `console.log(process.env.BLUUM_WEBHOOK_SECRET, process.env.PORT)`;
      const args = ["--import", "./env.mjs", "--eval", reads];
      expect(execFileSync(process.execPath, args, { cwd: folder, env: { ...env, PORT: "0" }, encoding: "utf8" })).toBe(
        "replace-with-the-secret-of-your-webhook 0\n",
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("examples/production", () => {
  const env = Object.fromEntries(
    [...textOf("production/.env.example").matchAll(/^(?:# )?([A-Z]\w*)=(.*)$/gm)].map(([, key, value]) => [key, value]),
  );

  it("has a README whose links are valid", () => {
    expect(brokenLinks(ROOT, "examples/production/README.md")).toEqual([]);
  });

  it("has files of fewer than 80 lines", () => {
    for (const program of programsOf("production")) expect(program.split("\n").length).toBeLessThan(80);
  });

  describe("compose.yml", () => {
    const { services, volumes } = parse(textOf("production/compose.yml"), { merge: true }) as Compose;
    const ours = Object.entries(services).filter(([, { build }]) => build !== undefined);

    it("has the app, a worker, the migration and a PostgreSQL", () => {
      expect(Object.keys(services)).toEqual(["app", "worker", "migrate", "postgres"]);
      expect(ours.map(([name]) => name)).toEqual(["app", "worker", "migrate"]);
    });

    it("sets variables that .env.example names", () => {
      for (const [, { environment, env_file }] of ours) {
        expect(Object.keys(env)).toEqual(expect.arrayContaining(Object.keys(environment)));
        expect(environment).toHaveProperty("DATABASE_URL");
        expect(env_file).toBe(".env");
        for (const value of Object.values(environment)) expect(value).toBeTypeOf("string");
      }
      expect(Object.keys(env)).toEqual(expect.arrayContaining(variablesOfCompose("production")));
      expect(services.app?.environment).toMatchObject({ PORT: "3000", WORKER_IN_APP: "false" });
      expect(services.app?.ports).toEqual(["3000:3000"]);
      expect(services.worker?.environment).not.toHaveProperty("WORKER_IN_APP");
    });

    it("waits longer at a stop than the app takes to close", () => {
      const [last = ""] = matches(textOf("production/shutdown.mjs"), /process\.exit\(\), ([\d_]+)\)/g);
      const closeMs = Number(env.DRAIN_MS) + Number(env.CLOSE_MS) + Number(last.replaceAll("_", ""));
      expect(closeMs).toBeGreaterThan(20_000);
      for (const name of ["app", "worker"]) {
        const [, seconds] = /^(\d+)s$/.exec(services[name]?.stop_grace_period ?? "") ?? [];
        expect(Number(seconds) * 1_000).toBeGreaterThan(closeMs);
      }
    });

    it("starts programs that exist, after what they depend on", () => {
      for (const [, { command, depends_on }] of ours) {
        if (command) expect(runsProgram(command)).toBe(true);
        for (const name of Object.keys(depends_on)) expect(services).toHaveProperty(name);
      }
      expect(services.migrate?.depends_on).toEqual({ postgres: { condition: "service_healthy" } });
      for (const name of ["app", "worker"]) {
        expect(services[name]?.depends_on).toEqual({ migrate: { condition: "service_completed_successfully" } });
      }
    });

    it("keeps the database in a volume, and checks its health", () => {
      const { volumes: mounts = [], healthcheck } = services.postgres ?? {};
      expect(mounts.map((mount) => mount.split(":")[0])).toEqual(Object.keys(volumes));
      expect(healthcheck).toHaveProperty("test");
    });
  });

  describe("Dockerfile", () => {
    const lines = textOf("production/Dockerfile").replaceAll("\\\n", " ").split("\n");
    const instructions = lines.filter((line) => line && !line.startsWith("#")).map((line) => line.split(/ +/));
    const argumentsOf = (wanted: string) => instructions.flatMap(([name, ...args]) => (name === wanted ? [args] : []));

    it("copies files that exist, besides the lock file that `npm install` writes", () => {
      const files = readdirSync(`${EXAMPLES}production`);
      for (const [...sources] of argumentsOf("COPY").map((args) => args.slice(0, -1))) {
        for (const source of sources) {
          if (source === "package-lock.json") continue;
          expect(
            files.some((file) => (source === "*.mjs" ? file.endsWith(".mjs") : file === source)),
            source,
          ).toBe(true);
        }
      }
    });

    it("starts node itself, not as root, with a program that exists", () => {
      expect(argumentsOf("FROM")).toEqual([["node:22-slim"]]);
      expect(argumentsOf("USER")).toEqual([["node"]]);
      const [command = []] = argumentsOf("CMD");
      expect(runsProgram(JSON.parse(command.join(" ")))).toBe(true);
      expect(instructions.at(-1)?.[0]).toBe("CMD");
    });

    it("installs what the lock file says, without what only development needs", () => {
      expect(argumentsOf("RUN").join()).toMatch(/^npm,ci,--omit=dev/);
    });

    it("exposes the ports of .env.example", () => {
      expect(argumentsOf("EXPOSE")).toEqual([[env.PORT, env.OTEL_EXPORTER_PROMETHEUS_PORT]]);
    });

    it("leaves secrets and installed packages out of the image", () => {
      expect(textOf("production/.dockerignore").split("\n")).toEqual(expect.arrayContaining([".env", "node_modules"]));
    });
  });
});

/** The part of a compose file that is read here. */
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
}

interface Service {
  readonly build?: string;
  readonly command?: readonly string[];
  readonly env_file?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on: object;
  readonly healthcheck?: object;
  readonly stop_grace_period?: string;
}

/** The variables that the example's compose file puts into its text. */
function variablesOfCompose(name: string): string[] {
  const path = `${name}/compose.yml`;
  return existsSync(EXAMPLES + path) ? matches(textOf(path), /\$\{(\w+)/g) : [];
}

/** Whether a command is node with a program of the production example. */
function runsProgram([command, program = "", ...more]: readonly string[]): boolean {
  return command === "node" && more.length === 0 && existsSync(`${EXAMPLES}production/${program}`);
}
