// The load process. "prepare" signs the requests of a turn and opens its connections, "go" sends them, each connection one after the
// other. A load that is kept awake spares the server the waking, which costs the more the deeper a processor sleeps.
import { RenewableBody } from "../material/bodies.mjs";
import { SIGNED } from "../material/signatures.mjs";
import { opened, requestOf } from "./requests.mjs";
import { ResponseReader } from "./response-reader.mjs";

const SIZE = 2_048;
/** Bodies are reused with new ids, so that a turn leaves no garbage to the next. */
const bodies = [];

let turn;

process.on("message", async (message) => {
  if (message === "go") process.send(await send(turn));
  else {
    turn = await prepare(message);
    process.send({ ready: true });
  }
});
process.on("disconnect", () => process.exit(0));

async function prepare({ port, signed, requests, connections, awake }) {
  while (bodies.length < requests) bodies.push(new RenewableBody(SIZE));
  const messages = bodies.slice(0, requests).map((body) => {
    body.renew();
    return requestOf(body.bytes, port, SIGNED[signed](body.bytes));
  });
  const sockets = await Promise.all(Array.from({ length: connections }, () => opened(port)));
  return { messages, sockets, awake };
}

/** @returns the time taken, in nanoseconds, and the number of answers of each status */
async function send({ messages, sockets, awake }) {
  const statuses = {};
  let next = 0;
  let done = false;
  const spin = () => done || setImmediate(spin);
  if (awake) spin();
  const started = process.hrtime.bigint();
  await Promise.all(sockets.map((socket) => drive(socket)));
  const wall = Number(process.hrtime.bigint() - started);
  done = true;
  for (const socket of sockets) socket.destroy();
  return { wall, statuses };

  /** Sends the remaining requests on one connection, each after the answer to the one before. */
  function drive(socket) {
    return new Promise((resolve, reject) => {
      const sendNext = () => {
        if (next === messages.length) return resolve();
        socket.write(messages[next++]);
      };
      const reader = new ResponseReader((status) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        sendNext();
      });
      socket.on("data", (bytes) => reader.take(bytes));
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("the server closed a connection")));
      sendNext();
    });
  }
}
