// workerd reads its modules by name from a configuration file, and bundles nothing.
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";

const MAIN = "hosts/worker.mjs";
/** The newest compatibility date that the package needs. */
const COMPATIBILITY_DATE = "2024-09-23";

/**
 * The modules that a module reaches by relative imports, itself first, and the packages that it imports.
 *
 * @param folder where the paths begin
 * @param stands paths under which other files stand than those of that name
 */
export function closureOf(folder, entry, stands = {}) {
  const modules = [];
  const packages = new Set();
  const visit = (path) => {
    if (modules.includes(path)) return;
    modules.push(path);
    for (const specifier of importsOf(readFileSync(join(folder, stands[path] ?? path), "utf8"))) {
      if (specifier.startsWith(".")) visit(posix.join(posix.dirname(path), specifier));
      else if (!specifier.startsWith("node:")) packages.add(specifier);
    }
  };
  visit(posix.normalize(entry));
  return { modules, packages: [...packages] };
}

function importsOf(code) {
  const imports = /^\s*(?:import\s*|(?:import|export)\s[^;"=()]*?\bfrom\s*)"([^"]+)"/gm;
  return [...code.matchAll(imports)].map(([, specifier]) => specifier);
}

/** The configuration of a worker that serves the app on a free port of the loopback interface. */
export function workerConfig(folder) {
  const stands = { "doors.mjs": "worker-doors.mjs" };
  const { modules } = closureOf(folder, MAIN, stands);
  const embedded = modules.map(
    (path) => `    (name = ${JSON.stringify(path)}, esModule = embed ${JSON.stringify(stands[path] ?? path)}),\n`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "app", worker = .app)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "app")],
);

const app :Workerd.Worker = (
  compatibilityDate = "${COMPATIBILITY_DATE}",
  compatibilityFlags = ["nodejs_compat"],
  modules = [
${embedded.join("")}  ],
);
`;
}
