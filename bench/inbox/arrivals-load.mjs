// The load process of arrivals.mjs: deliveries arrive at a steady rate, whether or not the ones before are answered. A time is that
// from the sending of a delivery to its answer.
import { opened, requestOf } from "../adapters/requests.mjs";
import { ResponseReader } from "../adapters/response-reader.mjs";
import { bodyOf } from "../material/bodies.mjs";
import { SIGNED } from "../material/signatures.mjs";

const SIZE = 2_048;
const CONNECTIONS = 50;

process.on("message", async (terms) => process.send(await arrivals(terms)));
process.on("disconnect", () => process.exit(0));

/** @returns the answers of each status, the times to the answers in milliseconds, and how long the sending took */
async function arrivals({ port, perSecond, count }) {
  const requests = Array.from({ length: count }, () => {
    const body = bodyOf(SIZE, "ascii");
    return requestOf(body, port, SIGNED.bluum(body));
  });
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => Client.open(port)));
  const idle = [...clients];
  const times = [];
  const statuses = {};
  const send = async (request) => {
    const client = idle.pop() ?? (await another(port, clients));
    const sentAt = performance.now();
    const status = await client.ask(request);
    times.push(performance.now() - sentAt);
    statuses[status] = (statuses[status] ?? 0) + 1;
    idle.push(client);
  };
  const { seconds, pending } = await paced(requests, perSecond, send);
  await Promise.all(pending);
  for (const client of clients) client.close();
  return { statuses, seconds, times: times.sort((a, b) => a - b) };
}

async function paced(requests, perSecond, send) {
  const startedAt = performance.now();
  const pending = [];
  while (pending.length < requests.length) {
    const due = Math.min(requests.length, Math.floor(((performance.now() - startedAt) / 1_000) * perSecond) + 1);
    while (pending.length < due) pending.push(send(requests[pending.length]));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return { seconds: (performance.now() - startedAt) / 1_000, pending };
}

async function another(port, clients) {
  const client = await Client.open(port);
  clients.push(client);
  return client;
}

/** One connection that sends one request at a time. */
class Client {
  #socket;
  #waiting;

  static async open(port) {
    return new Client(await opened(port));
  }

  constructor(socket) {
    this.#socket = socket;
    const reader = new ResponseReader((status) => this.#waiting.resolve(status));
    socket.on("data", (bytes) => reader.take(bytes));
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(new Error("the server closed a connection")));
  }

  ask(request) {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close() {
    this.#waiting = undefined;
    this.#socket.destroy();
  }
}
