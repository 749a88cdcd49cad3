/**
 * The frameworks whose adapters are tested with the real thing, one entry for each major version: how it is told in the
 * README, its name in this repository's node_modules, and the door that mounts it. Add a line for a new one.
 */
export const FRAMEWORKS = [
  { name: "Express 4", package: "express4", door: "bluum-webhooks/express" },
  { name: "Express 5", package: "express", door: "bluum-webhooks/express" },
  { name: "Koa 2", package: "koa2", door: "bluum-webhooks/koa" },
  { name: "Koa 3", package: "koa", door: "bluum-webhooks/koa" },
  { name: "Hono 4", package: "hono", door: "bluum-webhooks/hono" },
  { name: "Hono's Node server 2", package: "@hono/node-server", door: "bluum-webhooks/hono" },
];
