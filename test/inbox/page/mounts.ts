import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import express from "express";
import { Hono } from "hono";
import type { InboxPage } from "../../../src/inbox/page.ts";

/** A server with the page of an inbox. */
export interface Mounted {
  /** Of the page. */
  readonly url: string;
  close(): Promise<void>;
}

/** Mounts a page as an app does. */
export type Mount = (page: InboxPage) => Promise<Mounted>;

/** Behind a body parser, as in many an app, and behind a middleware that sets headers of its own. */
const onExpress: Mount = (page) => {
  const app = express();
  app.use((_, response, next) => {
    response.set("Content-Security-Policy", "default-src *").set("Cache-Control", "public");
    next();
  });
  app.use(express.json());
  app.use("/admin/inbox", page.node);
  return listening(createServer(app), "/admin/inbox");
};

const onHono: Mount = (page) => {
  const app = new Hono();
  app.all("/admin/:tenant/inbox", (context) => page.fetch(context.req.raw));
  return listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server, "/admin/shop/inbox");
};

const onNode: Mount = (page) => listening(createServer(page.node), "/");

export const MOUNTS: Readonly<Record<string, Mount>> = { Express: onExpress, Hono: onHono, "node:http": onNode };

/** Any of them will do. */
export const mount: Mount = onExpress;

async function listening(server: Server, path: string): Promise<Mounted> {
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${path}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
