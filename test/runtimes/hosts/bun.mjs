import { makeApp } from "../app.mjs";
import { doors, Hono } from "../doors.mjs";
import { announce } from "./announce.mjs";
import { serveOnNode } from "./node-server.mjs";

const app = makeApp(doors, Hono);
const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => app.fetch(request) });
announce({ fetch: server.port, node: await serveOnNode(doors, Hono) });
