import { createServer, type RequestListener } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { bluumHandler as nodeHandler } from "../../adapters/node.ts";
import type { Receiver } from "../../src/index.ts";
import { use } from "./equal.ts";

declare const receiver: Receiver;

createServer(nodeHandler(receiver));
const listener: RequestListener = nodeHandler(receiver);
use(listener);
createHttp2Server(nodeHandler(receiver));
