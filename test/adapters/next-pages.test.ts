// Next.js's own resolver of Pages API routes, which makes the request and the response of an API route, behind a Node server as in
// `next start`.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { describe, it } from "vitest";
import { bluumHandler } from "../../adapters/node.ts";
import { handlerMember } from "./contract/handler.ts";
import { expectAlreadyParsed, expectTrueBytes } from "./contract/mounts.ts";
import { type Endpoint, listen } from "./contract/sender.ts";
import { describeAdapterContract, expectNothingToEscape } from "./contract.ts";

expectNothingToEscape();

type ApiHandler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;
type Config = { api: { bodyParser: boolean } };
type Resolve = (
  req: IncomingMessage,
  res: ServerResponse,
  ...route: [object, object, object, boolean]
) => Promise<void>;

// Not imported: Next.js's types would require NODE_ENV for every process that a test starts.
const { apiResolver }: { apiResolver: Resolve } = createRequire(import.meta.url)(
  "next/dist/server/api-utils/node/api-resolver.js",
);

/** Serves what a file in pages/api exports. */
function serve(handler: ApiHandler, config?: Config): Promise<Endpoint> {
  const route = { default: handler, ...(config && { config }) };
  const context = { previewModeId: "", previewModeEncryptionKey: "", previewModeSigningKey: "" };
  return listen(createServer((req, res) => void apiResolver(req, res, {}, route, context, false)));
}

const config: Config = { api: { bodyParser: false } };

describeAdapterContract(
  handlerMember("Next.js 16, Pages API", true, (receiver) => serve(bluumHandler(receiver), config)),
);

describe.concurrent("Next.js 16, Pages API", () => {
  for (const chunkBytes of [undefined, 7]) {
    const how = chunkBytes === undefined ? "" : ", the body in chunks";
    const options = chunkBytes === undefined ? {} : { chunkBytes };
    it(`with bodyParser: false, true bytes${how}`, () =>
      expectTrueBytes(({ receiver, reached }) => {
        const handler = bluumHandler(receiver.on("*", (event) => reached(event)));
        return serve(async (req, res) => handler(req, res), config);
      }, options));
    it(`without it, body_already_parsed at once${how}`, () =>
      expectAlreadyParsed(({ receiver }) => serve(bluumHandler(receiver.on("*", () => {}))), options));
  }
});
