// The server process: all routes at once, each on a port of its own. It reports the processor time used between "begin" and "end".
import { once } from "node:events";
import { ROUTES } from "./routes.mjs";

let begun;

process.on("message", (message) => {
  if (message === "begin") begun = process.cpuUsage();
  const { user, system } = process.cpuUsage(begun);
  process.send({ cpu: user + system });
});
process.on("disconnect", () => process.exit(0));

process.send({ ports: await Promise.all(ROUTES.map(({ server }) => listen(server()))) });

async function listen(server) {
  // Idle between its turns, a connection must not be closed.
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}
