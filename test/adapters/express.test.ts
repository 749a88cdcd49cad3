import type { RequestHandler } from "express";
import { describe, it } from "vitest";
import { bluumEvent, bluumHandler, bluumWebhooks } from "../../adapters/express.ts";
import { handlerMember } from "./contract/handler.ts";
import { expectAlreadyParsed, expectTrueBytes, type Mounting, quietReceiver } from "./contract/mounts.ts";
import { PATH } from "./contract/sender.ts";
import { describeAdapterContract, expectNothingToEscape } from "./contract.ts";
import { serve, VERSIONS } from "./express/apps.ts";

expectNothingToEscape();

for (const [name, framework] of VERSIONS) {
  describeAdapterContract({
    name: `${name}, middleware`,
    overSockets: true,
    appAnswers: true,
    start(receiver, work) {
      const app = framework();
      app.use(PATH, bluumWebhooks(receiver), (req, res, next) => {
        // Express 4 ignores promises, and no Express takes next(undefined) for an error.
        Promise.resolve()
          .then(() => work(bluumEvent(req), req.bluumDelivery as NonNullable<typeof req.bluumDelivery>))
          .then((status) => res.sendStatus(status))
          .catch((error) => next(error ?? new Error("nothing")));
      });
      return serve(app);
    },
  });

  describeAdapterContract({
    name: `${name}, middleware with a handler`,
    overSockets: true,
    appAnswers: true,
    start(receiver, work) {
      const app = framework().use(
        PATH,
        bluumWebhooks(receiver, async (req, res) => res.sendStatus(await work(req.bluumEvent, req.bluumDelivery))),
      );
      return serve(app);
    },
  });

  describeAdapterContract(
    handlerMember(`${name}, handler`, true, (receiver) => serve(framework().use(PATH, bluumHandler(receiver)))),
  );

  /** The app's own handler: records the event and `req.body`. */
  const handled = ({ reached }: Mounting): RequestHandler => {
    return (req, res) => {
      reached(bluumEvent(req), req.body);
      res.sendStatus(204);
    };
  };
  const routed =
    (before: RequestHandler[], after: RequestHandler[] = []) =>
    (mounting: Mounting) =>
      serve(framework().post(PATH, ...before, bluumWebhooks(mounting.receiver), ...after, handled(mounting)));

  describe.concurrent(`${name}: where the receiver is mounted`, () => {
    it("on a path by app.post", () => expectTrueBytes(routed([])));
    it("on a path by app.use, the handler on a route after it", () =>
      expectTrueBytes((mounting) => {
        const app = framework();
        app.use("/webhooks", bluumWebhooks(mounting.receiver));
        return serve(app.post(PATH, handled(mounting)));
      }));
    it("on the whole app", () =>
      expectTrueBytes((mounting) => serve(framework().use(bluumWebhooks(mounting.receiver)).use(handled(mounting)))));
    it("on a Router under a prefix", () =>
      expectTrueBytes((mounting) => {
        const router = framework.Router().post("/bluum", bluumWebhooks(mounting.receiver), handled(mounting));
        return serve(framework().use("/webhooks", router));
      }));
    it("by router.use on a Router in a Router in an app in an app", () =>
      expectTrueBytes((mounting) => {
        const inner = framework.Router().use(bluumWebhooks(mounting.receiver), handled(mounting));
        const outer = framework.Router().use("/bluum", inner);
        return serve(framework().use(framework().use("/webhooks", outer)));
      }));
    it("with bluumHandler on a Router under a prefix", () =>
      expectTrueBytes(({ receiver, reached }) => {
        const router = framework.Router().post("/bluum", bluumHandler(receiver.on("*", (event) => reached(event))));
        return serve(framework().use("/webhooks", router));
      }));
  });

  describe.concurrent(`${name}: true bytes`, () => {
    for (const chunkBytes of [undefined, 7]) {
      const how = chunkBytes === undefined ? "" : ", the body in chunks";
      const options = chunkBytes === undefined ? {} : { chunkBytes };
      it(`before express.json(), with the payload in req.body${how}`, () =>
        expectTrueBytes(routed([], [framework.json()]), options));
      it(`before all body parsers${how}`, () =>
        expectTrueBytes(
          routed(
            [],
            [framework.raw({ type: "*/*" }), framework.text({ type: "*/*" }), framework.json({ type: "*/*" })],
          ),
          options,
        ));
      it(`after express.raw({ type: "*/*" })${how}`, () =>
        expectTrueBytes(({ receiver, reached }) => {
          const app = framework().post(PATH, framework.raw({ type: "*/*" }), bluumWebhooks(receiver), (req, res) => {
            reached(bluumEvent(req));
            res.status(Buffer.isBuffer(req.body) ? 204 : 500).end();
          });
          return serve(app);
        }, options));
      it(`after express.json({ verify }) that kept a Buffer${how}`, () =>
        expectTrueBytes(
          routed([framework.json({ verify: (req, _res, buffer) => Object.assign(req, { rawBody: buffer }) })]),
          options,
        ));
      it(`after express.json() that skipped another Content-Type${how}`, () =>
        expectTrueBytes(routed([framework.json()]), { ...options, contentType: "text/plain" }));
      it(`between two express.json() that skip another Content-Type${how}`, () =>
        expectTrueBytes(routed([framework.json()], [framework.json()]), {
          ...options,
          contentType: "application/x-bluum",
        }));
    }
    it("after express.raw(), express.text() and express.urlencoded() that skipped", () =>
      expectTrueBytes(routed([framework.raw(), framework.text(), framework.urlencoded({ extended: true })])));
    it("with another data listener", () =>
      expectTrueBytes(
        routed([
          (req, _res, next) => {
            req.on("data", () => {});
            next();
          },
        ]),
      ));
    it("after a middleware that defined req.body, req._body and req.rawBody without setters", () =>
      expectTrueBytes(({ receiver, reached }) =>
        serve(
          framework().post(
            PATH,
            (req, _res, next) => {
              const accessor = { get: () => undefined };
              Object.defineProperties(req, { body: accessor, _body: accessor, rawBody: accessor });
              next();
            },
            bluumWebhooks(receiver),
            (req, res) => {
              reached(bluumEvent(req));
              res.sendStatus(204);
            },
          ),
        ),
      ));
    it("after a middleware that waited before the body was read", () =>
      expectTrueBytes(routed([(_req, _res, next) => void setTimeout(next, 30)])));
  });

  describe.concurrent(`${name}: body_already_parsed at once`, () => {
    it("after express.json()", () =>
      expectAlreadyParsed(routed([framework.json()]), { remedy: "express.json({ verify" }));
    it("after express.json(), the body in chunks", () =>
      expectAlreadyParsed(routed([framework.json()]), { chunkBytes: 7 }));
    it("after express.json(), for bluumHandler", () =>
      expectAlreadyParsed(({ receiver }) =>
        serve(
          framework()
            .use(framework.json())
            .post(PATH, bluumHandler(receiver.on("*", () => {}))),
        ),
      ));
    it("after express.text()", () => expectAlreadyParsed(routed([framework.text({ type: "*/*" })])));
    it("after express.urlencoded()", () =>
      expectAlreadyParsed(routed([framework.urlencoded({ extended: true, type: "*/*" })])));
    it("after express.json({ verify }) that kept a string", () =>
      expectAlreadyParsed(
        routed([framework.json({ verify: (req, _res, buffer) => Object.assign(req, { rawBody: buffer.toString() }) })]),
      ));
    it("after express.raw() and a middleware that parsed req.body", () =>
      expectAlreadyParsed(
        routed([
          framework.raw({ type: "*/*" }),
          (req, _res, next) => {
            req.body = JSON.parse(String(req.body));
            next();
          },
        ]),
      ));
    it("after req.setEncoding()", () =>
      expectAlreadyParsed(
        routed([
          (req, _res, next) => {
            req.setEncoding("utf8");
            next();
          },
        ]),
      ));
    it("after a listener that took the first part of the body and paused", () =>
      expectAlreadyParsed(
        routed([
          (req, _res, next) => {
            req.once("data", () => {
              req.pause();
              next();
            });
          },
        ]),
        { chunkBytes: 7 },
      ));
    it("after a listener that took the first part of the body and still listens", () =>
      expectAlreadyParsed(
        routed([
          (req, _res, next) => {
            req.on("data", () => {});
            req.once("data", () => setTimeout(next, 5));
          },
        ]),
        { chunkBytes: 7 },
      ));
    it("after a middleware that drained the stream", () =>
      expectAlreadyParsed(
        routed([
          (req, _res, next) => {
            req.resume().once("end", () => next());
          },
        ]),
      ));
  });

  describe.concurrent(`${name}: one delivery, two mounts`, () => {
    it("one receiver, as middleware twice", () =>
      expectTrueBytes((mounting) => {
        const app = framework();
        app.use(bluumWebhooks(mounting.receiver));
        return serve(app.post(PATH, bluumWebhooks(mounting.receiver), handled(mounting)));
      }));
    it("one receiver, as middleware and as handler", () =>
      expectTrueBytes(({ receiver, reached }) =>
        serve(
          framework()
            .use(bluumWebhooks(receiver))
            .post(PATH, bluumHandler(receiver.on("*", (event) => reached(event)))),
        ),
      ));
    it("two receivers with their own stores", () =>
      expectTrueBytes((mounting) =>
        serve(
          framework().post(PATH, bluumWebhooks(quietReceiver()), bluumWebhooks(mounting.receiver), handled(mounting)),
        ),
      ));
  });
}
