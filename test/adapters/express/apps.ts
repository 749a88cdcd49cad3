import { createServer, type RequestListener } from "node:http";
import express from "express";
import express4 from "express4";
import { type Endpoint, listen } from "../contract/sender.ts";

/** The supported versions, with their names for titles. */
export const VERSIONS = [
  ["Express 5", express],
  ["Express 4", express4],
] as const;

/** Starts an app on a free port. */
export function serve(app: RequestListener): Promise<Endpoint> {
  return listen(createServer(app));
}
