import { makeApp } from "../app.mjs";
import { doors, Hono } from "../doors.mjs";
import { announce } from "./announce.mjs";
import { serveOnNode } from "./node-server.mjs";

const app = makeApp(doors, Hono);
// The answer of the suite takes longer than Bun waits by default.
const listen = { port: 0, hostname: "127.0.0.1", idleTimeout: 240 };
const server = Bun.serve({ ...listen, fetch: (request) => app.fetch(request) });
announce({ fetch: server.port, node: await serveOnNode(doors, Hono) });
