import { makeApp } from "../app.mjs";
import { doors, Hono } from "../doors.mjs";
import { announce } from "./announce.mjs";
import { serveOnNode } from "./node-server.mjs";

const app = makeApp(doors, Hono);
const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => app.fetch(request));
announce({ fetch: server.addr.port, node: await serveOnNode(doors, Hono) });
