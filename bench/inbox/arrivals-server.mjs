// The server process of arrivals.mjs: Express, a SQLite inbox and its worker in one process, for each route one of each. Asked about a
// route, it waits until that has run a number of events.
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createReceiver } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/express";
import { sqliteInbox } from "bluum-webhooks/inbox/sqlite";
import express from "express";
import { PATH } from "../adapters/path.mjs";
import { SECRET } from "../material/signatures.mjs";
import { databaseFolder } from "./database.mjs";

const { open } = databaseFolder();
const MB = 1_048_576;

let highestRss = 0;
setInterval(() => {
  highestRss = Math.max(highestRss, process.memoryUsage.rss());
}, 50).unref();

class Route {
  /** How often each event was run, by its id. */
  #runs = new Map();
  #inbox = sqliteInbox(open());
  #handlerMs;
  #receiver;

  constructor({ handlerMs, concurrency }) {
    this.#handlerMs = handlerMs;
    this.#receiver = createReceiver({ secret: SECRET, inbox: this.#inbox, namespace: "bench" });
    this.#receiver.on("order.filled", (event) => this.#handle(event));
    this.#receiver.work({ concurrency });
  }

  async #handle({ id }) {
    this.#runs.set(id, (this.#runs.get(id) ?? 0) + 1);
    if (this.#handlerMs > 0) await sleep(this.#handlerMs);
  }

  async listen() {
    const server = createServer(express().post(PATH, bluumHandler(this.#receiver)));
    // Connections may be idle for long, even before their first request.
    server.keepAliveTimeout = 0;
    server.headersTimeout = 0;
    server.requestTimeout = 0;
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server.address().port;
  }

  async processed(count) {
    while (this.#runs.size < count || !(await this.#isEmpty())) await sleep(20);
    return { once: [...this.#runs.values()].filter((runs) => runs === 1).length, rss: highestRss / MB };
  }

  async #isEmpty() {
    const { waiting, delayed, active } = await this.#inbox.stats();
    return waiting + delayed + active === 0;
  }
}

const routes = JSON.parse(process.argv[2]).map((terms) => new Route(terms));
process.on("message", async ({ index, count }) => process.send(await routes[index].processed(count)));
process.on("disconnect", () => process.exit(0));
process.send({ ports: await Promise.all(routes.map((route) => route.listen())) });
