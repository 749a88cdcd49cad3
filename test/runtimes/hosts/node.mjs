import { doors, Hono } from "../doors.mjs";
import { announce } from "./announce.mjs";
import { serveOnNode } from "./node-server.mjs";

announce({ node: await serveOnNode(doors, Hono) });
