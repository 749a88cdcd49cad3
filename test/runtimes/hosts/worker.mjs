import { makeApp } from "../app.mjs";
import { doors, Hono } from "../doors.mjs";

const app = makeApp(doors, Hono);

export default { fetch: (request) => app.fetch(request) };
