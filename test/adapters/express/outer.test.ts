// Middleware further out that changes the status of an answer.
import type { ServerResponse } from "node:http";
import type { ErrorRequestHandler, RequestHandler } from "express";
import { describe, expect, it } from "vitest";
import { bluumErrors, bluumHandler, bluumWebhooks } from "../../../adapters/express.ts";
import { lostClaims } from "../contract/lost-claims.ts";
import { quietReceiver } from "../contract/mounts.ts";
import { PATH } from "../contract/sender.ts";
import { expectRefusal, signed } from "../contract/trial.ts";
import { expectNothingToEscape } from "../contract.ts";
import { serve, VERSIONS } from "./apps.ts";

expectNothingToEscape();

type Writes = (this: ServerResponse, ...args: unknown[]) => ServerResponse;

/** Sets the status when the headers are sent, as a listener of the on-headers package may do. */
const atHeaders: RequestHandler = (_req, res, next) => {
  const writeHead = res.writeHead as Writes;
  res.writeHead = function changed(this: ServerResponse, status: number, ...rest: unknown[]) {
    this.statusCode = status;
    this.statusCode = 200;
    return this.statusCode === status ? writeHead.call(this, status, ...rest) : writeHead.call(this, this.statusCode);
  } as ServerResponse["writeHead"] as never;
  next();
};

/** Sets the status when the answer is ended. */
const atEnd: RequestHandler = (_req, res, next) => {
  const end = res.end as Writes;
  res.end = function changed(this: ServerResponse, ...args: unknown[]) {
    if (!this.headersSent) this.statusCode = 200;
    return end.apply(this, args);
  } as ServerResponse["end"] as never;
  next();
};

for (const [name, framework] of VERSIONS) {
  for (const [where, outer] of [
    ["writeHead", atHeaders],
    ["end", atEnd],
  ] as const) {
    describe.concurrent(`${name}: a middleware further out that sets 200 in res.${where}`, () => {
      const sends500: RequestHandler = (_req, res) => void res.status(500).json({ ok: false });
      const fails: RequestHandler = () => {
        throw new Error("no");
      };

      for (const [what, handler] of [
        ["a 500 of the handler", sends500],
        ["an answer to an error", fails],
      ] as const) {
        it(`does not change ${what}, and the retry runs`, async () => {
          const codes: unknown[] = [];
          const receiver = quietReceiver({ observe: ({ code }) => codes.push(code) });
          const app = framework().use(outer).post(PATH, bluumWebhooks(receiver), handler).use(bluumErrors());
          app.use(((_error, _req, res, _next) => void res.json({ ok: false })) as ErrorRequestHandler);
          const endpoint = await serve(app);
          const delivery = signed();
          expect((await endpoint.send(delivery)).status).toBe(500);
          expect((await endpoint.send(delivery)).status).toBe(500);
          expect(codes).toEqual(["handler_failed", "handler_failed"]);
          await endpoint.close();
        });
      }

      for (const [style, mounted] of [
        ["bluumWebhooks", bluumWebhooks],
        ["bluumHandler", bluumHandler],
      ] as const) {
        it(`does not change a refusal of ${style}`, async () => {
          const store = { ...lostClaims, claim: () => Promise.reject(new Error("down")) };
          const receiver = quietReceiver({ store, namespace: "express" }).on("*", () => {});
          const endpoint = await serve(framework().use(outer).post(PATH, mounted(receiver)));
          expectRefusal(await endpoint.send(signed()), 503, "store_unavailable");
          expectRefusal(await endpoint.send({ body: "{}" }), 401, "signature_missing");
          await endpoint.close();
        });
      }
    });
  }
}
