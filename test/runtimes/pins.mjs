// The runtimes, each in one exact version: the only place that names them. A newer one is tried by changing its version here
// and running `npm run test:runtimes -- --write`.

/**
 * @typedef {object} Runtime
 * @property {string} name how it is told in the README
 * @property {string} package its package on npm
 * @property {string} version of the package
 * @property {string} [tells] what `--version` prints of it, where that is not the package's version
 * @property {string} bin its binary in node_modules/.bin
 * @property {string} doors what of the package was run on it, in the README's words
 * @property {readonly (readonly string[])[]} hosts what starts its hosts, as arguments of that binary
 */

const ON_NODE = [["hosts/node.mjs"], ["hosts/node-required.cjs"]];
const ON_DENO = ["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1"];
const node = (version, name = `Node ${version.split(".")[0]}`) => ({
  name,
  package: "node",
  version,
  bin: "node",
  doors: "`import` and `require()`, every door",
  hosts: ON_NODE,
});

/** @type {readonly Runtime[]} */
export const RUNTIMES = [
  // The oldest that the package takes ("engines").
  node("20.19.0", "Node 20, the oldest"),
  node("20.20.2"),
  node("22.23.3"),
  node("24.21.0"),
  node("26.10.0"),
  {
    name: "Bun",
    package: "bun",
    version: "1.4.5",
    bin: "bun",
    doors: "`Bun.serve` and `node:http`, every door",
    hosts: [["hosts/bun.mjs"]],
  },
  {
    name: "Deno",
    package: "deno",
    version: "2.9.6",
    bin: "deno",
    doors: "`Deno.serve` and `node:http`; every door",
    hosts: [
      // With the one permission that a receiver needs: it must not insist on reading the environment.
      [...ON_DENO, "hosts/deno.mjs"],
      // The Node family stands on raw-body, and what that stands on asks whether it may warn of deprecations.
      [...ON_DENO, "--allow-env=NO_DEPRECATION,TRACE_DEPRECATION", "hosts/node.mjs"],
    ],
  },
  {
    name: "workerd (Cloudflare Workers)",
    package: "workerd",
    version: "1.20261117.1",
    tells: "2026-11-17",
    bin: "workerd",
    doors: "a module worker with `nodejs_compat`; the fetch family, stores, client and testing",
    hosts: [["serve", "worker.capnp", "--control-fd=1"]],
  },
];
