import { makeApp } from "../app.mjs";
import { doors, Hono } from "../fetch-doors.mjs";
import { announce } from "./announce.mjs";

const app = makeApp(doors, Hono);
const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => app.fetch(request));
announce({ fetch: server.addr.port });
