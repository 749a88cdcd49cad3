// Every route of every framework. The first of a framework is what its others are measured against.
import { ROUTES as EXPRESS } from "./routes-express.mjs";
import { ROUTES as HONO } from "./routes-hono.mjs";
import { ROUTES as KOA } from "./routes-koa.mjs";
import { ROUTES as NODE } from "./routes-node.mjs";

export const ROUTES = [...EXPRESS, ...KOA, ...HONO, ...NODE];
