// A user's folder: the packed package installed from its tarball, and the programs of this suite.
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { command } from "./command.mjs";
import { closureOf, workerConfig } from "./worker-config.mjs";

const SUITE = fileURLToPath(new URL(".", import.meta.url));

/**
 * Packs the package and installs it, with Hono, the API of OpenTelemetry and the declarations that its types need, into an empty folder.
 */
export async function fillUserFolder(folder) {
  await command("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], process.cwd());
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  const beside = ["hono", "@opentelemetry/api", "@types/node"].map((name) => `${name}@${installedVersion(name)}`);
  const options = ["--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"];
  await command("npm", ["install", ...options, `./${tarball}`, ...beside], folder);
  cpSync(SUITE, folder, { recursive: true });
  writeDoors(folder);
}

/** The version of a package in this repository's own node_modules. */
export function installedVersion(name) {
  return JSON.parse(readFileSync(join("node_modules", name, "package.json"), "utf8")).version;
}

/** Writes the modules from which the hosts take the package: every door by its name, imported, required, and for workerd. */
function writeDoors(folder) {
  const { exports } = JSON.parse(readFileSync(join(folder, "node_modules/bluum-webhooks/package.json"), "utf8"));
  const names = Object.keys(exports).filter((name) => name !== "./package.json");
  const specifiers = Object.fromEntries(names.map((name) => [name, `bluum-webhooks${name.slice(1)}`]));
  writeFileSync(join(folder, "doors.mjs"), imports(specifiers, "hono"));
  const required = names.map((name) => `  ${JSON.stringify(name)}: require(${JSON.stringify(specifiers[name])}),\n`);
  writeFileSync(
    join(folder, "doors.cjs"),
    `exports.doors = {\n${required.join("")}};\nexports.Hono = require("hono").Hono;\n`,
  );

  // The doors of the Node family need a package, Lambda's runs on Node alone, and the sandbox is a Node server; the others need no other
  // package.
  const paths = names
    .filter((name) => name !== "./lambda" && name !== "./sandbox")
    .map((name) => [name, `./${join("node_modules/bluum-webhooks", exports[name])}`])
    .filter(([, path]) => closureOf(folder, path).packages.length === 0);
  const alone = Object.fromEntries(paths.map(([name]) => [name, specifiers[name]]));
  writeFileSync(join(folder, "fetch-doors.mjs"), imports(alone, "hono"));
  // workerd knows no packages, only modules by their paths.
  const manifest = JSON.parse(readFileSync(join(folder, "node_modules/hono/package.json"), "utf8"));
  const honoPath = `./${join("node_modules/hono", manifest.exports["."].import)}`;
  writeFileSync(join(folder, "worker-doors.mjs"), imports(Object.fromEntries(paths), honoPath));
  writeFileSync(join(folder, "worker.capnp"), workerConfig(folder));
}

function imports(specifiers, hono) {
  const entries = Object.entries(specifiers);
  const lines = entries.map(([, specifier], place) => `import * as door${place} from ${JSON.stringify(specifier)};\n`);
  const doors = entries.map(([name], place) => `  ${JSON.stringify(name)}: door${place},\n`);
  return `${lines.join("")}export { Hono } from ${JSON.stringify(hono)};\nexport const doors = {\n${doors.join("")}};\n`;
}
