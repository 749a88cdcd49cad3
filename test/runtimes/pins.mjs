// The runtimes, each in one exact version: the only place that names them. To test a newer one, change its version here
// and run `npm run test:runtimes -- --write`.

/**
 * @typedef {object} Runtime
 * @property {string} name its name in docs/reference/compatibility.md
 * @property {string} package its package on npm
 * @property {string} version of the package
 * @property {string} [prints] what `--version` prints, if that is not the package's version
 * @property {string} bin its binary in node_modules/.bin
 * @property {string} doors the parts of the package that run on it, as in that page
 * @property {readonly (readonly string[])[]} hosts the arguments of that binary that start its hosts
 */

const ON_NODE = [["hosts/node.mjs"], ["hosts/node-required.cjs"]];
/** Where the runtime has a SQLite of its own. */
const INBOX = ["hosts/inbox.mjs"];
const ON_DENO = ["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1"];
const DOORS = "`import` and `require()`, every door";
const node = (version, name = `Node ${version.split(".")[0]}`) => ({
  name,
  package: "node",
  version,
  bin: "node",
  doors: DOORS,
  hosts: ON_NODE,
});
const nodeWithSqlite = (version) => ({
  ...node(version),
  doors: `${DOORS}; the inbox on \`node:sqlite\``,
  hosts: [...ON_NODE, INBOX],
});

/** @type {readonly Runtime[]} */
export const RUNTIMES = [
  // The oldest that the package takes ("engines").
  node("20.19.0", "Node 20, the oldest"),
  node("20.20.2"),
  nodeWithSqlite("22.23.3"),
  nodeWithSqlite("24.21.0"),
  nodeWithSqlite("26.10.0"),
  {
    name: "Bun",
    package: "bun",
    version: "1.4.5",
    bin: "bun",
    doors: "`Bun.serve` and `node:http`, every door; the inbox on `bun:sqlite`",
    hosts: [["hosts/bun.mjs"], INBOX],
  },
  {
    name: "Deno",
    package: "deno",
    version: "2.9.6",
    bin: "deno",
    doors: "`Deno.serve` and `node:http`; every door; the inbox on `node:sqlite`",
    hosts: [
      // With the only permission that a receiver needs; reading the environment is not one.
      [...ON_DENO, "hosts/deno.mjs"],
      // The Node family uses raw-body, one of whose dependencies reads the environment for deprecation warnings.
      [...ON_DENO, "--allow-env=NO_DEPRECATION,TRACE_DEPRECATION", "hosts/node.mjs"],
      // Files, and what names the folder of temporary ones.
      [...ON_DENO, "--allow-read", "--allow-write", "--allow-env", "--allow-sys", ...INBOX],
    ],
  },
  {
    name: "workerd (Cloudflare Workers)",
    package: "workerd",
    version: "1.20261117.1",
    prints: "2026-11-17",
    bin: "workerd",
    doors: "a module worker with `nodejs_compat`; the fetch family, stores, client and testing",
    hosts: [["serve", "worker.capnp", "--control-fd=1"]],
  },
];
