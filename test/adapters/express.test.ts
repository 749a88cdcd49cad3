import { createServer, type RequestListener } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { RequestHandler } from "express";
import express from "express";
import express4 from "express4";
import { describe, expect, it } from "vitest";
import { bluumErrors, bluumEvent, bluumFailed, bluumHandler, bluumWebhooks } from "../../adapters/express.ts";
import { toDelivery } from "../../adapters/node.ts";
import type { Delivery, DeliveryReport, Outcome, Receiver } from "../../src/index.ts";
import { handlerMember } from "./contract/handler.ts";
import { expectAlreadyParsed, expectTrueBytes, type Mounting, quietReceiver } from "./contract/mounts.ts";
import { type Answer, type Endpoint, listen, PATH, RawSender } from "./contract/sender.ts";
import { expectRefusal, isSuccess, signed, until } from "./contract/trial.ts";
import { describeAdapterContract, expectNothingToEscape } from "./contract.ts";

expectNothingToEscape();

function fail(): never {
  throw new Error("no");
}

function serve(app: RequestListener): Promise<Endpoint> {
  return listen(createServer(app));
}

for (const [name, framework] of [
  ["Express 5", express],
  ["Express 4", express4],
] as const) {
  describeAdapterContract({
    name: `${name}, middleware`,
    overSockets: true,
    appAnswers: true,
    start(receiver, work) {
      const app = framework();
      app.use(PATH, bluumWebhooks(receiver), (req, res, next) => {
        // As one must on Express 4, which does not look at promises; and Express takes next(undefined) for no error.
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

  /** The app's own handler: notes what reached it, and what `req.body` is there. */
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
      it(`before express.json()${how}, and req.body is the payload`, () =>
        expectTrueBytes(routed([], [framework.json()]), options));
      it(`before every body parser at once${how}`, () =>
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
      it(`after express.json({ verify }) that kept req.rawBody as a Buffer${how}`, () =>
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
    it("beside a listener that only watches the data", () =>
      expectTrueBytes(
        routed([
          (req, _res, next) => {
            req.on("data", () => {});
            next();
          },
        ]),
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
    it("after express.raw() whose bytes someone parsed in place", () =>
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
    it("after a listener that has eaten the first part of the body and lets go", () =>
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
    it("after a listener that has eaten the first part of the body and goes on eating", () =>
      expectAlreadyParsed(
        routed([
          (req, _res, next) => {
            req.on("data", () => {});
            req.once("data", () => setTimeout(next, 5));
          },
        ]),
        { chunkBytes: 7 },
      ));
    it("after something that drained the stream and kept nothing", () =>
      expectAlreadyParsed(
        routed([
          (req, _res, next) => {
            req.resume().once("end", () => next());
          },
        ]),
      ));
  });

  describe.concurrent(`${name}: the same delivery met twice`, () => {
    it("by one receiver as middleware and as middleware again", () =>
      expectTrueBytes((mounting) => {
        const app = framework();
        app.use(bluumWebhooks(mounting.receiver));
        return serve(app.post(PATH, bluumWebhooks(mounting.receiver), handled(mounting)));
      }));
    it("by one receiver as middleware and as handler", () =>
      expectTrueBytes(({ receiver, reached }) =>
        serve(
          framework()
            .use(bluumWebhooks(receiver))
            .post(PATH, bluumHandler(receiver.on("*", (event) => reached(event)))),
        ),
      ));
    it("by two receivers with stores of their own", () =>
      expectTrueBytes((mounting) =>
        serve(
          framework().post(PATH, bluumWebhooks(quietReceiver()), bluumWebhooks(mounting.receiver), handled(mounting)),
        ),
      ));
  });

  describe.concurrent(`${name}: errors of the app`, () => {
    interface Tried {
      readonly answers: Answer[];
      readonly reports: DeliveryReport[];
      readonly log: string[];
      /** What the app's error middleware was given. */
      readonly errors: unknown[];
      readonly runs: number;
    }
    type Mount = (receiver: Receiver, handler: RequestHandler) => RequestHandler;
    type Answering = (res: express.Response) => unknown;

    const withHandler: Mount = (receiver, handler) =>
      framework.Router().post(PATH, bluumWebhooks(receiver, handler)) as RequestHandler;
    const twoSteps: Mount = (receiver, handler) =>
      framework.Router().post(PATH, bluumWebhooks(receiver), handler) as RequestHandler;
    const withErrors: Mount = (receiver, handler) =>
      framework.Router().use(twoSteps(receiver, handler), bluumErrors()) as RequestHandler;
    const forms = [
      ["a handler given to bluumWebhooks", withHandler],
      ["a handler behind bluumWebhooks, and bluumErrors", withErrors],
    ] as const;

    const error = new Error("no");
    const throwing: RequestHandler = () => {
      throw error;
    };
    const answers200: Answering = (res) => res.status(200).set("x-app", "fine").json({ confidential: true });

    /** Sends one delivery twice to an app whose error middleware answers what it likes. */
    async function twice(mount: Mount, handler: RequestHandler, answer: Answering = answers200): Promise<Tried> {
      let runs = 0;
      const [reports, log, errors]: [DeliveryReport[], string[], unknown[]] = [[], [], []];
      const receiver = quietReceiver({
        observe: (report) => reports.push(report),
        logger: { warn: () => {}, error: (line) => log.push(line) },
      });
      const counting: RequestHandler = (req, res, next) => {
        runs += 1;
        return handler(req, res, next);
      };
      const app = framework().use(mount(receiver, counting));
      app.use(((thrown, _req, res, _next) => {
        errors.push(thrown);
        answer(res);
      }) as express.ErrorRequestHandler);
      const endpoint = await serve(app);
      const delivery = signed();
      const answers = [await endpoint.send(delivery), await endpoint.send(delivery)];
      await endpoint.close();
      return { answers, reports, log, errors, runs };
    }
    function expectFailed({ answers, reports, errors, runs }: Tried, status = 500): void {
      expect(answers.map((answer) => answer.status)).toEqual([status, status]);
      expect(reports.map(({ code }) => code)).toEqual(["handler_failed", "handler_failed"]);
      expect(errors).toHaveLength(2);
      expect(runs).toBe(2);
    }

    it("two steps without bluumErrors: an error middleware that answers 2xx makes the event count as processed", async () => {
      const { answers, runs } = await twice(twoSteps, throwing);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(answers[1]?.body).toContain("duplicate");
      expect(runs).toBe(1);
    });

    for (const [form, mount] of forms) {
      for (const [what, handler] of [
        ["throws at once", throwing],
        ["passes an error to next", (_req, _res, next) => next(error)],
        ["passes an error to next later", (_req, _res, next) => void setTimeout(next, 5, error)],
        ...(mount === withHandler || name === "Express 5" ? [["rejects", async () => Promise.reject(error)]] : []),
      ] as [string, RequestHandler][]) {
        it(`${form}: one that ${what} has failed, though the error middleware answers 200; the answer is 500`, async () => {
          const tried = await twice(mount, handler);
          expectFailed(tried);
          for (const answer of tried.answers) {
            expectRefusal(answer, 500, "handler_failed");
            expect(answer.headers).not.toHaveProperty("x-app");
          }
          expect(tried.errors).toEqual([error, error]);
          expect(tried.reports.map((report) => report.error)).toEqual([error, error]);
          expect(tried.log).toEqual([]);
        });
      }

      for (const [how, answer] of [
        ["sendStatus(204)", (res) => res.sendStatus(204)],
        ["writeHead(200)", (res) => res.writeHead(200, { "content-type": "text/plain" }).end("fine")],
        ["write without a status", (res) => res.write("fine") && res.end()],
        [
          "flushHeaders",
          (res) => {
            res.status(202).flushHeaders();
            res.end();
          },
        ],
      ] as [string, Answering][]) {
        it(`${form}: an error middleware that answers by ${how} is overruled, too`, async () =>
          expectFailed(await twice(mount, throwing, answer)));
      }

      it(`${form}: an overruled res.end calls back`, async () => {
        let ended = 0;
        const tried = await twice(mount, throwing, (res) =>
          res.end("fine", () => {
            ended += 1;
          }),
        );
        expectFailed(tried);
        await until(() => ended === 2, "the callbacks");
      });

      it(`${form}: an error middleware that answers 422 keeps its answer`, async () => {
        const tried = await twice(mount, throwing, (res) => res.status(422).send("mine"));
        expectFailed(tried, 422);
        expect(tried.answers[0]?.body).toBe("mine");
      });

      it(`${form}: a 2xx that has left before the error stands, the event is released, and the log says so`, async () => {
        const tried = await twice(
          mount,
          (_req, res, next) => void res.status(200).write("partial", () => next(error)),
          (res) => res.end(),
        );
        expectFailed(tried, 200);
        const { eventId } = tried.reports[0] as DeliveryReport;
        expect(tried.log.join("\n")).toMatch(new RegExp(`${eventId} failed, but 200 was answered.*replay`));
      });

      it(`${form}: one that answers 204 and then throws has processed the event`, async () => {
        const { answers, log, runs } = await twice(
          mount,
          (_req, res) => {
            res.sendStatus(204);
            throw error;
          },
          () => {},
        );
        expect(answers.map(({ status }) => status)).toEqual([204, 200]);
        expect(log).toEqual([]);
        expect(runs).toBe(1);
      });
    }

    for (const [what, thrown] of [
      ["null", null],
      ["undefined", undefined],
      ["'route', which is no error to Express", "route"],
    ] as const) {
      it(`a handler given to bluumWebhooks that rejects with ${what} has failed, and the error middleware is given an error`, async () => {
        const tried = await twice(withHandler, () => Promise.reject(thrown));
        expectFailed(tried);
        expect(tried.errors).toEqual([expect.any(Error), expect.any(Error)]);
        expect((tried.errors[0] as Error).cause).toBe(thrown);
      });
    }

    for (const word of [undefined, "route"] as const) {
      it(`a handler given to bluumWebhooks that calls next(${word ?? ""}) hands the request on: what answers then counts`, async () => {
        const mount: Mount = (receiver, handler) =>
          framework
            .Router()
            .post(PATH, bluumWebhooks(receiver, handler))
            .post(PATH, (_req, res) => void res.sendStatus(201)) as RequestHandler;
        const { answers, runs } = await twice(mount, (_req, _res, next) => next(word as "route"));
        expect(answers.map(({ status }) => status)).toEqual([201, 200]);
        expect(runs).toBe(1);
      });
    }

    it("two receivers that accepted one request have both failed", async () => {
      const reports: DeliveryReport[] = [];
      const other = quietReceiver({ observe: (report) => reports.push(report) });
      const mount: Mount = (receiver, handler) =>
        framework.Router().post(PATH, bluumWebhooks(other), bluumWebhooks(receiver, handler)) as RequestHandler;
      expectFailed(await twice(mount, throwing));
      expect(reports.map(({ code }) => code)).toEqual(["handler_failed", "handler_failed"]);
    });

    it("bluumErrors sees what a Router below it and an app mounted in it pass up", async () => {
      const mount: Mount = (receiver, handler) => {
        const inner = framework().use(framework.Router().use(twoSteps(receiver, handler)));
        return framework.Router().use(inner, bluumErrors()) as RequestHandler;
      };
      expectFailed(await twice(mount, throwing));
    });

    it("bluumErrors passes on the errors of other requests, whose 2xx stands", async () => {
      const app = framework().use(() => fail(), bluumErrors());
      app.use(((thrown, _req, res, _next) => res.send(String(thrown))) as express.ErrorRequestHandler);
      const endpoint = await serve(app);
      expect(await endpoint.send({ method: "GET" })).toMatchObject({ status: 200, body: "Error: no" });
      await endpoint.close();
    });

    it("bluumFailed fails the event where the app answers errors by itself, awaited or not", async () => {
      const catching: RequestHandler = (req, res) => {
        void bluumFailed(req, error);
        res.json({ fine: true });
      };
      const { answers, reports, runs } = await twice(twoSteps, catching);
      for (const answer of answers) expectRefusal(answer, 500, "handler_failed");
      expect(reports.map((report) => report.error)).toEqual([error, error]);
      expect(runs).toBe(2);
    });

    it("a handler that is no function is refused when it is given", () => {
      expect(() => bluumWebhooks(quietReceiver(), {} as RequestHandler)).toThrow(
        expect.objectContaining({ code: "configuration_invalid" }),
      );
    });
  });

  describe.concurrent(`${name}: when the app's answer counts`, () => {
    /** An app with one route, its deliveries, and what became of them. */
    async function answering(
      run: (tried: { endpoint: Endpoint; reports: DeliveryReport[]; runs: () => number }) => Promise<void>,
      ...handlers: RequestHandler[]
    ) {
      const reports: DeliveryReport[] = [];
      let runs = 0;
      const count: RequestHandler = (_req, _res, next) => {
        runs += 1;
        next();
      };
      const receiver = quietReceiver({
        leaseMs: 1_000,
        maxProcessingMs: 1_000,
        observe: (report) => reports.push(report),
      });
      const endpoint = await serve(framework().post(PATH, bluumWebhooks(receiver), count, ...handlers));
      await run({ endpoint, reports, runs: () => runs }).finally(() => endpoint.close());
    }
    const onFirst = (first: RequestHandler): RequestHandler => {
      let met = false;
      return (req, res, next) => {
        if (met) return void res.sendStatus(204);
        met = true;
        return first(req, res, next);
      };
    };
    /** Sends a delivery until it is accepted, and gives the statuses on the way. */
    async function retried(endpoint: Endpoint, delivery: ReturnType<typeof signed>): Promise<number[]> {
      const statuses: number[] = [];
      for (let status = 0; status !== 204; statuses.push(status)) {
        ({ status } = await endpoint.send(delivery));
        await sleep(20);
      }
      return statuses;
    }

    it("a partial write and then next(err): the claim is kept until maxProcessingMs, and then the retry runs", () =>
      answering(
        async ({ endpoint, runs }) => {
          const delivery = signed();
          await expect(endpoint.send(delivery)).rejects.toThrow();
          expectRefusal(await endpoint.send(delivery), 503, "event_in_flight");
          expect(new Set(await retried(endpoint, delivery))).toEqual(new Set([503, 204]));
          expect(runs()).toBe(2);
        },
        onFirst((_req, res, next) => void res.status(200).write("partial", () => next(new Error("no")))),
      ));

    it("res.end without a status, and res.end again with another: the first counts", () =>
      answering(
        async ({ endpoint, runs }) => {
          const delivery = signed();
          expect(await endpoint.send(delivery)).toMatchObject({ status: 200, body: "one" });
          expect((await endpoint.send(delivery)).body).toContain("duplicate");
          expect(runs()).toBe(1);
        },
        (_req, res) => {
          res.end("one");
          res.statusCode = 500;
          res.end();
        },
      ));

    it("res.end that throws ends nothing: what comes after it counts", () =>
      answering(
        async ({ endpoint, runs }) => {
          const delivery = signed();
          expect((await endpoint.send(delivery)).status).toBe(500);
          expect((await endpoint.send(delivery)).status).toBe(500);
          expect(runs()).toBe(2);
        },
        (_req, res, next) => {
          try {
            res.end(7 as unknown as string);
          } catch (error) {
            next(error);
          }
        },
      ));

    it("a redirect has failed", () =>
      answering(
        async ({ endpoint, runs }) => {
          const delivery = signed();
          expect((await endpoint.send(delivery)).status).toBe(302);
          expect((await endpoint.send(delivery)).status).toBe(302);
          expect(runs()).toBe(2);
        },
        (_req, res) => res.redirect("/elsewhere"),
      ));

    it("next('route') to a route that does not exist has failed; to one that answers 2xx, it counts", async () => {
      await answering(
        async ({ endpoint, runs }) => {
          const delivery = signed();
          expect((await endpoint.send(delivery)).status).toBe(404);
          expect((await endpoint.send(delivery)).status).toBe(404);
          expect(runs()).toBe(2);
        },
        (_req, _res, next) => next("route"),
      );
      const receiver = quietReceiver();
      const app = framework().post(PATH, bluumWebhooks(receiver), (_req, _res, next) => next("route"));
      const endpoint = await serve(app.post(PATH, (req, res) => void res.json({ id: bluumEvent(req).id })));
      const delivery = signed();
      expect((await endpoint.send(delivery)).status).toBe(200);
      expect((await endpoint.send(delivery)).body).toContain("duplicate");
      await endpoint.close();
    });

    for (const [what, thrown] of [
      ["null", null],
      ["undefined", undefined],
      ["a string", "no"],
      ["an error with status 200", Object.assign(new Error(), { status: 200 })],
    ] as const) {
      it(`a handler that throws ${what} at once is not answered 2xx, unless the app goes on to`, () =>
        answering(
          async ({ endpoint, runs }) => {
            const delivery = signed();
            expect((await endpoint.send(delivery)).status).toBeGreaterThanOrEqual(400);
            expect((await endpoint.send(delivery)).status).toBeGreaterThanOrEqual(400);
            expect(runs()).toBe(2);
          },
          () => {
            throw thrown;
          },
        ));
    }

    for (const [what, then, succeeds] of [
      ["answers 204", (res: express.Response, _next: express.NextFunction) => void res.sendStatus(204), true],
      ["calls next(err)", (_res: express.Response, next: express.NextFunction) => next(new Error("no")), false],
    ] as const) {
      it(`a sender that hangs up before the app ${what}: it counts as ${succeeds ? "processed" : "failed"}`, () => {
        return answering(
          async ({ endpoint, reports, runs }) => {
            const delivery = signed();
            const sender = new RawSender(endpoint.port);
            await sender.head({ ...delivery.headers, "content-length": String(delivery.body.length) });
            await sender.write(delivery.body);
            await until(() => runs() === 1, "the app");
            sender.destroy();
            await until(() => reports.length === 1, "the settlement");
            const again = await endpoint.send(delivery);
            if (succeeds) expect(again.body).toContain("duplicate");
            else expect(again.status).toBe(204);
            expect(runs()).toBe(succeeds ? 1 : 2);
          },
          onFirst((_req, res, next) => void res.once("close", () => then(res, next))),
        );
      });
    }

    it("a sender that hangs up, and an app that never answers: the claim is kept until maxProcessingMs, and then the retry runs", () =>
      answering(
        async ({ endpoint, reports, runs }) => {
          const delivery = signed();
          const sender = new RawSender(endpoint.port);
          await sender.head({ ...delivery.headers, "content-length": String(delivery.body.length) });
          await sender.write(delivery.body);
          await until(() => runs() === 1, "the app");
          sender.destroy();
          expectRefusal(await endpoint.send(delivery), 503, "event_in_flight");
          expect(new Set(await retried(endpoint, delivery))).toEqual(new Set([503, 204]));
          expect(reports.some(({ code }) => code === "handler_timeout")).toBe(true);
          expect(runs()).toBe(2);
        },
        onFirst(() => {}),
      ));

    if (name === "Express 4")
      it("a handler that rejects, which Express 4 does not see, is never answered and never processed: the retry runs", () =>
        answering(
          async ({ endpoint, reports, runs }) => {
            const delivery = signed();
            const sender = new RawSender(endpoint.port);
            await sender.head({ ...delivery.headers, "content-length": String(delivery.body.length) });
            await sender.write(delivery.body);
            await until(() => runs() === 1, "the app");
            expectRefusal(await endpoint.send(delivery), 503, "event_in_flight");
            expect(new Set(await retried(endpoint, delivery))).toEqual(new Set([503, 204]));
            sender.destroy();
            expect(reports.some(({ code }) => code === "handler_timeout")).toBe(true);
            expect(runs()).toBe(2);
          },
          onFirst(() => {
            const work = Promise.reject(new Error("no"));
            // As an app that listens for unhandled rejections. Else Node ends the process, and the claim expires.
            work.catch(() => {});
            return work;
          }),
        ));

    it("a sender that sends all and hangs up before the body is read: body_incomplete, no parser is blamed", async () => {
      const reports: DeliveryReport[] = [];
      const receiver = quietReceiver({ observe: (report) => reports.push(report) });
      const untilGone: RequestHandler = (req, _res, next) => void req.once("close", () => next());
      const endpoint = await serve(framework().post(PATH, untilGone, bluumWebhooks(receiver)));
      const delivery = signed();
      const sender = new RawSender(endpoint.port);
      await sender.head({ ...delivery.headers, "content-length": String(delivery.body.length) });
      await sender.write(delivery.body);
      sender.destroy();
      await until(() => reports.length === 1, "the report");
      expect(reports[0]).toMatchObject({ code: "body_incomplete" });
      await endpoint.close();
    });

    it("what is attached in a mounted app is still there when the request comes back to the app around it", async () => {
      const attached: object[] = [];
      const inner = framework().use(bluumWebhooks(quietReceiver()), (_req, _res, next) => next(new Error("no")));
      const outer = framework().use(PATH, inner);
      outer.use(((_error, req, res, _next) => {
        const { bluumDelivery, rawBody } = req as express.Request & { rawBody?: Uint8Array };
        attached.push({ id: bluumEvent(req).id, known: bluumDelivery?.eventId, bytes: rawBody?.byteLength });
        res.sendStatus(500);
      }) as express.ErrorRequestHandler);
      const endpoint = await serve(outer);
      const delivery = signed();
      await endpoint.send(delivery);
      const { id } = JSON.parse(delivery.body.toString());
      expect(attached).toEqual([{ id, known: id, bytes: delivery.body.length }]);
      await endpoint.close();
    });

    it("the app's other requests have nothing attached", async () => {
      const seen: unknown[] = [];
      const app = framework().post(PATH, bluumWebhooks(quietReceiver()), (_req, res) => void res.sendStatus(204));
      app.put(PATH, (req, res) => {
        seen.push(["bluumEvent", "bluumDelivery", "rawBody", "_body"].filter((name) => name in req));
        res.sendStatus(204);
      });
      const endpoint = await serve(app);
      expect(await endpoint.send(signed())).toSatisfy(isSuccess);
      expect(await endpoint.send({ method: "PUT" })).toSatisfy(isSuccess);
      expect(seen).toEqual([[]]);
      await endpoint.close();
    });

    it("what is attached stands on the request itself, beside everything that Express and the app had put there", async () => {
      const seen: (string | symbol)[][] = [];
      const before: RequestHandler = (req, _res, next) => {
        Object.assign(req, { own: 1 });
        seen.push(Reflect.ownKeys(req));
        next();
      };
      const app = framework().post(PATH, before, bluumWebhooks(quietReceiver()), (req, res) => {
        seen.push(Reflect.ownKeys(req));
        res.sendStatus(204);
      });
      const endpoint = await serve(app);
      expect(await endpoint.send(signed())).toSatisfy(isSuccess);
      const [had = [], has = []] = seen;
      const added = has.filter((name) => !had.includes(name));
      expect(had.filter((name) => !has.includes(name))).toEqual([]);
      expect(new Set(added.filter((name) => typeof name === "string"))).toEqual(
        new Set(["bluumEvent", "bluumDelivery", "rawBody", "body", "_body"].filter((name) => !had.includes(name))),
      );
      // The receiver's note, and the adapter's.
      expect(added.filter((name) => typeof name === "symbol")).toEqual([expect.any(Symbol), expect.any(Symbol)]);
      await endpoint.close();
    });

    it("an accessor that the app has under the name rawBody is left alone", async () => {
      const app = framework();
      Object.defineProperty(app.request, "rawBody", { get: () => undefined });
      app.post(
        PATH,
        bluumWebhooks(quietReceiver()),
        (req, res) => void res.status(bluumEvent(req).id ? 204 : 500).end(),
      );
      const endpoint = await serve(app);
      const delivery = signed();
      expect((await endpoint.send(delivery)).status).toBe(204);
      expect((await endpoint.send(delivery)).body).toContain("duplicate");
      await endpoint.close();
    });

    it("what cannot be attached is a failure, and the retry runs", async () => {
      const app = framework();
      const sealed = new Set<string>();
      app.post(PATH, (req, _res, next) => {
        if (sealed.size === 0) Object.defineProperty(req, "bluumEvent", { set: () => sealed.add("once") && fail() });
        next();
      });
      app.post(PATH, (req, res, next) => void bluumWebhooks(receiver)(req, res, next).catch(next));
      app.post(PATH, (_req, res) => void res.sendStatus(204));
      const receiver = quietReceiver();
      const endpoint = await serve(app);
      const delivery = signed();
      expect((await endpoint.send(delivery)).status).toBe(500);
      expect((await endpoint.send(delivery)).status).toBe(204);
      await endpoint.close();
    });

    it("a second receiver that handles the request leaves what the first attached", async () => {
      const audit = quietReceiver({ eventId: () => "of-the-audit" }).on("*", () => {});
      const seen: unknown[] = [];
      const app = framework().post(PATH, bluumWebhooks(quietReceiver()), async (req, res) => {
        const [event, delivery] = [bluumEvent(req), req.bluumDelivery];
        const { status } = await audit.handle(toDelivery(req));
        seen.push(bluumEvent(req) === event, req.bluumDelivery === delivery, event.id === "of-the-audit");
        res.sendStatus(status);
      });
      const endpoint = await serve(app);
      expect((await endpoint.send(signed())).status).toBe(200);
      expect(seen).toEqual([true, true, false]);
      await endpoint.close();
    });

    it("an event that a wrapped receiver exchanged is the one attached", async () => {
      const receiver = quietReceiver();
      const exchanging = {
        ...receiver,
        handle: receiver.handle.bind(receiver),
        async receive(delivery: Delivery): Promise<Outcome> {
          const outcome = await receiver.receive(delivery);
          if (outcome.kind !== "accepted") return outcome;
          const { kind, context } = outcome;
          return { kind, context, event: { ...outcome.event, id: "exchanged" }, settle: outcome.settle.bind(outcome) };
        },
      } as Receiver;
      let reached: string | undefined;
      const app = framework().post(PATH, bluumWebhooks(exchanging), (req, res) => {
        reached = bluumEvent(req).id;
        res.sendStatus(204);
      });
      const endpoint = await serve(app);
      expect(await endpoint.send(signed())).toSatisfy(isSuccess);
      expect(reached).toBe("exchanged");
      await endpoint.close();
    });

    it("bluumEvent without the middleware throws, naming it", async () => {
      const endpoint = await serve(
        framework().post(PATH, (req, res) => {
          expect(() => bluumEvent(req)).toThrow(expect.objectContaining({ code: "middleware_missing" }));
          res.sendStatus(204);
        }),
      );
      expect(await endpoint.send(signed())).toSatisfy(isSuccess);
      await endpoint.close();
    });
  });
}
