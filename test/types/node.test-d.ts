import { createServer, type RequestListener } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { bluumHandler as fetchHandler } from "../../adapters/fetch.ts";
import { bluumHandler as nodeHandler } from "../../adapters/node.ts";
import type { Receiver } from "../../src/index.ts";
import { type Equal, expectType, use } from "./equal.ts";

declare const receiver: Receiver;

createServer(nodeHandler(receiver));
const listener: RequestListener = nodeHandler(receiver);
use(listener);
createHttp2Server(nodeHandler(receiver));

expectType<Equal<ReturnType<typeof fetchHandler>, (request: Request) => Promise<Response>>>();
