import { once } from "node:events";
import { createServer } from "node:http";
import { makeApp } from "../app.mjs";

/** Serves the app on node:http, deliveries over the package's node door. */
export async function serveOnNode(doors, Hono) {
  const { receivers, reads } = makeApp(doors, Hono);
  const { bluumHandler } = doors["./node"];
  const mounts = Object.entries(receivers.byPath).map(([path, receiver]) => [path, bluumHandler(receiver)]);
  const byPath = Object.fromEntries(mounts);
  const server = createServer(async (req, res) => {
    const { [req.url]: mounted } = byPath;
    if (mounted !== undefined) return mounted(req, res);
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify(await reads[req.url]?.()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}
