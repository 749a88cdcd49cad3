/**
 * The frameworks whose adapters are tested with the real framework, one entry for each major version: its name in
 * docs/reference/compatibility.md, its name in this repository's node_modules, and the door that mounts it. Add a line for a new one.
 */
export const FRAMEWORKS = [
  { name: "Express 4", package: "express4", door: "bluum-webhooks/express" },
  { name: "Express 5", package: "express", door: "bluum-webhooks/express" },
  { name: "Koa 2", package: "koa2", door: "bluum-webhooks/koa" },
  { name: "Koa 3", package: "koa", door: "bluum-webhooks/koa" },
  { name: "Fastify 5", package: "fastify", door: "bluum-webhooks/fastify" },
  { name: "NestJS 11", package: "@nestjs/core", door: "bluum-webhooks/node" },
  {
    name: "Google's Functions Framework 5",
    package: "@google-cloud/functions-framework",
    door: "bluum-webhooks/express",
  },
  { name: "Hono 4", package: "hono", door: "bluum-webhooks/hono" },
  { name: "Hono's Node server 2", package: "@hono/node-server", door: "bluum-webhooks/hono" },
  { name: "h3 1", package: "h3-v1", door: "bluum-webhooks/fetch" },
  { name: "h3 2", package: "h3", door: "bluum-webhooks/fetch" },
  { name: "Elysia 1", package: "elysia", door: "bluum-webhooks/fetch" },
  { name: "Next.js 16", package: "next", door: "bluum-webhooks/fetch" },
  { name: "SvelteKit 2", package: "@sveltejs/kit", door: "bluum-webhooks/fetch" },
  { name: "React Router 7", package: "react-router", door: "bluum-webhooks/fetch" },
  { name: "Astro 5", package: "astro", door: "bluum-webhooks/fetch" },
];
