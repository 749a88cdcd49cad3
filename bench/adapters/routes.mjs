// All routes of all frameworks. The first route of a framework is the baseline of its others.
import { ROUTES as EXPRESS } from "./routes-express.mjs";
import { ROUTES as HONO } from "./routes-hono.mjs";
import { ROUTES as KOA } from "./routes-koa.mjs";
import { ROUTES as NODE } from "./routes-node.mjs";

export const ROUTES = [...EXPRESS, ...KOA, ...HONO, ...NODE];
