import { createServer } from "node:http";
import { Readable } from "node:stream";
import { bodyParser as koaOrgBodyParser } from "@koa/bodyparser";
import Router from "@koa/router";
import Koa, { type Middleware } from "koa";
import koaBodyParser from "koa-bodyparser";
import mount from "koa-mount";
import Koa2 from "koa2";
import { describe, expect, it } from "vitest";
import { bluumEvent, bluumHandler, bluumWebhooks } from "../../adapters/koa.ts";
import type { DeliveryContext, DeliveryReport } from "../../src/index.ts";
import { handlerMember } from "./contract/handler.ts";
import { lostClaims } from "./contract/lost-claims.ts";
import { expectAlreadyParsed, expectTrueBytes, type Mounting, quietReceiver } from "./contract/mounts.ts";
import { type Answer, type Endpoint, listen, PATH, RawSender } from "./contract/sender.ts";
import { expectRefusal, gate, isSuccess, signed, until } from "./contract/trial.ts";
import { describeAdapterContract, expectNothingToEscape } from "./contract.ts";

expectNothingToEscape();

function serve(app: Koa): Promise<Endpoint> {
  app.silent = true;
  return listen(createServer(app.callback()));
}

for (const [name, Framework] of [
  ["Koa 3", Koa],
  ["Koa 2", Koa2],
] as const) {
  describeAdapterContract({
    name: `${name}, middleware`,
    overSockets: true,
    appAnswers: true,
    start(receiver, work) {
      const app = new Framework();
      app.use(bluumWebhooks(receiver)).use(async (ctx) => {
        ctx.status = await work(bluumEvent(ctx), ctx.state.bluumDelivery as DeliveryContext);
      });
      return serve(app);
    },
  });

  describeAdapterContract(
    handlerMember(`${name}, handler`, true, (receiver) => serve(new Framework().use(bluumHandler(receiver)))),
  );

  /** The app's own middleware: records the event and `ctx.request.body`. */
  const handled = ({ reached }: Mounting): Middleware => {
    return (ctx) => {
      reached(bluumEvent(ctx), (ctx.request as { body?: unknown }).body);
      ctx.status = 204;
    };
  };
  const stacked =
    (before: Middleware[], after: Middleware[] = []) =>
    (mounting: Mounting) => {
      const app = new Framework();
      for (const each of [...before, bluumWebhooks(mounting.receiver), ...after, handled(mounting)]) app.use(each);
      return serve(app);
    };

  describe.concurrent(`${name}: where the receiver is mounted`, () => {
    it("on the whole app", () => expectTrueBytes(stacked([])));
    it("on a route of @koa/router", () =>
      expectTrueBytes((mounting) => {
        const router = new Router();
        router.post(PATH, bluumWebhooks(mounting.receiver), handled(mounting));
        return serve(new Framework().use(router.routes() as Middleware).use(router.allowedMethods() as Middleware));
      }));
    it("by router.use on a @koa/router with a prefix, in another", () =>
      expectTrueBytes((mounting) => {
        const inner = new Router({ prefix: "/bluum" });
        inner.use(bluumWebhooks(mounting.receiver)).post("/", handled(mounting));
        const outer = new Router({ prefix: "/webhooks" });
        outer.use(inner.routes());
        return serve(new Framework().use(outer.routes() as Middleware));
      }));
    it("under koa-mount, as middleware and in an app of its own", () =>
      expectTrueBytes((mounting) => {
        const inner = new Framework().use(handled(mounting));
        return serve(new Framework().use(mount("/webhooks", bluumWebhooks(mounting.receiver))).use(mount(PATH, inner)));
      }));
    it("with bluumHandler on a @koa/router", () =>
      expectTrueBytes(({ receiver, reached }) => {
        const router = new Router({ prefix: "/webhooks" });
        router.post("/bluum", bluumHandler(receiver.on("*", (event) => reached(event))));
        return serve(new Framework().use(router.routes() as Middleware));
      }));
  });

  for (const [parser, make] of [
    ["koa-bodyparser", (options: object = {}) => koaBodyParser(options)],
    ["@koa/bodyparser", (options: object = {}) => koaOrgBodyParser(options) as Middleware],
  ] as const) {
    describe.concurrent(`${name} and ${parser}`, () => {
      for (const chunkBytes of [undefined, 7]) {
        const how = chunkBytes === undefined ? "" : ", the body in chunks";
        const options = chunkBytes === undefined ? {} : { chunkBytes };
        it(`true bytes before it, with the payload in ctx.request.body${how}`, () =>
          expectTrueBytes(stacked([], [make()]), options));
        it(`true bytes after it skipped another Content-Type, with the payload in ctx.request.body${how}`, () =>
          expectTrueBytes(stacked([make()]), { ...options, contentType: "application/x-bluum" }));
        it(`true bytes between two that skip${how}`, () =>
          expectTrueBytes(stacked([make()], [make()]), { ...options, contentType: "application/x-bluum" }));
        it(`body_already_parsed at once after it${how}`, () => expectAlreadyParsed(stacked([make()]), options));
      }
      it("body_already_parsed at once after it, for bluumHandler", () =>
        expectAlreadyParsed(({ receiver }) =>
          serve(new Framework().use(make()).use(bluumHandler(receiver.on("*", () => {})))),
        ));
      it("body_already_parsed at once after it parsed the body as text", () =>
        expectAlreadyParsed(stacked([make({ enableTypes: ["text"] })]), { contentType: "text/plain" }));
      it("body_already_parsed at once after it with patchNode or enableRawChecking", () =>
        expectAlreadyParsed(stacked([make({ patchNode: true, enableRawChecking: true })])));
      it("true bytes before it with patchNode and enableRawChecking", () =>
        expectTrueBytes(stacked([], [make({ patchNode: true, enableRawChecking: true })])));
    });
  }

  describe.concurrent(`${name}: bytes that other middleware keeps or takes`, () => {
    for (const [where, keep] of [
      [
        "ctx.request.rawBody",
        (ctx: Koa.Context, bytes: Buffer) =>
          Object.assign(ctx.request, { body: JSON.parse(String(bytes)), rawBody: bytes }),
      ],
      ["ctx.request.body", (ctx: Koa.Context, bytes: Buffer) => Object.assign(ctx.request, { body: bytes })],
      ["ctx.req.rawBody", (ctx: Koa.Context, bytes: Buffer) => Object.assign(ctx.req, { rawBody: bytes })],
    ] as const) {
      it(`bytes kept in ${where} are used`, () =>
        expectTrueBytes((mounting) => {
          const app = new Framework();
          app.use(async (ctx, next) => {
            const chunks: Buffer[] = [];
            for await (const chunk of ctx.req) chunks.push(chunk as Buffer);
            keep(ctx, Buffer.concat(chunks));
            await next();
          });
          app.use(bluumWebhooks(mounting.receiver)).use((ctx) => {
            mounting.reached(bluumEvent(ctx));
            ctx.status = 204;
          });
          return serve(app);
        }));
    }
    it("body_already_parsed at once after a listener that took the first part of the body", () =>
      expectAlreadyParsed(
        stacked([
          async (ctx, next) => {
            await new Promise((resolve) => ctx.req.once("data", resolve));
            ctx.req.pause();
            await next();
          },
        ]),
        { chunkBytes: 7 },
      ));
    it("body_already_parsed at once after a middleware that drained the stream", () =>
      expectAlreadyParsed(
        stacked([
          async (ctx, next) => {
            await new Promise((resolve) => ctx.req.resume().once("end", resolve));
            await next();
          },
        ]),
      ));
  });

  describe.concurrent(`${name}: one delivery, two mounts`, () => {
    it("one receiver, as middleware twice", () =>
      expectTrueBytes((mounting) => stacked([bluumWebhooks(mounting.receiver)])(mounting)));
    it("one receiver, as middleware and as handler", () =>
      expectTrueBytes(({ receiver, reached }) =>
        serve(
          new Framework().use(bluumWebhooks(receiver)).use(bluumHandler(receiver.on("*", (event) => reached(event)))),
        ),
      ));
    it("two receivers with their own stores", () => expectTrueBytes(stacked([bluumWebhooks(quietReceiver())])));
  });

  describe.concurrent(`${name}: when the app's answer counts`, () => {
    /** Sends one delivery twice to an app with one middleware. */
    async function twice(
      middleware: Middleware,
      around: Middleware[] = [],
    ): Promise<{ answers: Answer[]; reports: DeliveryReport[]; runs: number }> {
      let runs = 0;
      const reports: DeliveryReport[] = [];
      const app = new Framework();
      for (const outer of around) app.use(outer);
      app.use(bluumWebhooks(quietReceiver({ observe: (report) => reports.push(report) })));
      app.use((ctx, next) => {
        runs += 1;
        return middleware(ctx, next);
      });
      const endpoint = await serve(app);
      const delivery = signed();
      const answers = [await endpoint.send(delivery), await endpoint.send(delivery)];
      await endpoint.close();
      return { answers, reports, runs };
    }
    /** Expects that the app's answer was a failure, and that the retry ran. */
    async function expectFailed(status: number, middleware: Middleware): Promise<void> {
      const { answers, runs } = await twice(middleware);
      expect(answers.map((answer) => answer.status)).toEqual([status, status]);
      expect(runs).toBe(2);
    }
    async function expectProcessed(status: number, middleware: Middleware): Promise<void> {
      const { answers, runs } = await twice(middleware);
      expect(answers.map((answer) => answer.status)).toEqual([status, 200]);
      expect(answers[1]?.body).toContain("duplicate");
      expect(runs).toBe(1);
    }

    it("a middleware that sets nothing has failed: Koa answers 404", () => expectFailed(404, () => {}));
    it("a middleware that sets only a body has succeeded: Koa answers 200", () =>
      expectProcessed(200, (ctx) => {
        ctx.body = { ok: true };
      }));
    it("a body of null is 204, and has succeeded", () =>
      expectProcessed(204, (ctx) => {
        ctx.body = null;
      }));
    it("a redirect has failed", () => expectFailed(302, (ctx) => ctx.redirect("/elsewhere")));
    it("ctx.throw keeps its status, and has failed", () => expectFailed(422, (ctx) => ctx.throw(422)));
    it("a throw after a status of 200 has failed", () =>
      expectFailed(500, (ctx) => {
        ctx.status = 200;
        throw new Error("no");
      }));
    it("a rejection of null after a status of 200 has failed", () =>
      expectFailed(500, (ctx) => {
        ctx.status = 200;
        return Promise.reject(null);
      }));

    for (const [status, succeeds] of [
      [204, true],
      [500, false],
    ] as const) {
      it(`with ctx.respond = false a later ${status} on ctx.res counts`, async () => {
        const { answers, runs } = await twice((ctx) => {
          ctx.respond = false;
          setTimeout(() => {
            ctx.res.statusCode = status;
            ctx.res.end();
          }, 10);
        });
        expect(answers[0]?.status).toBe(status);
        expect(runs).toBe(succeeds ? 1 : 2);
      });
    }

    it("with ctx.respond = false the status of an ended ctx.res counts", async () => {
      const { answers, runs } = await twice((ctx) => {
        ctx.respond = false;
        ctx.res.statusCode = 201;
        ctx.res.end("done");
      });
      expect(answers[0]).toMatchObject({ status: 201, body: "done" });
      expect(runs).toBe(1);
    });

    const bodies: readonly (readonly [string, unknown])[] = [
      ["a status", undefined],
      ["a body", { confidential: true }],
    ];
    /** Answers 200, whatever the middleware behind it answered. */
    const answering200 = (body: unknown): Middleware => {
      return async (ctx, next) => {
        await next().catch(() => {});
        ctx.set("x-app", "fine");
        ctx.status = 200;
        if (body !== undefined) ctx.body = body;
      };
    };
    for (const [how, body] of bodies) {
      it(`an outer middleware that answers a failure with 200 by ${how} is overruled, and the retry runs`, async () => {
        const { answers, reports, runs } = await twice(() => {
          throw new Error("no");
        }, [answering200(body)]);
        for (const each of answers) {
          expectRefusal(each, 500, "handler_failed");
          expect(each.headers).not.toHaveProperty("x-app");
        }
        expect(reports.map(({ code }) => code)).toEqual(["handler_failed", "handler_failed"]);
        expect(runs).toBe(2);
      });
    }

    const middlewares: readonly (readonly [string, Middleware])[] = [
      ["a 404", () => {}],
      [
        "a 500",
        (ctx) => {
          ctx.status = 500;
        },
      ],
      ["a redirect", (ctx) => ctx.redirect("/elsewhere")],
    ];
    for (const [what, middleware] of middlewares) {
      for (const [how, body] of bodies) {
        it(`an outer middleware that turns ${what} into 200 by ${how} is overruled, and the retry runs`, async () => {
          const { answers, runs } = await twice(middleware, [answering200(body)]);
          for (const each of answers) {
            expectRefusal(each, 500, "handler_failed");
            expect(each.headers).not.toHaveProperty("x-app");
          }
          expect(runs).toBe(2);
        });
      }
    }

    it("an outer middleware may turn a 500 into another failure", async () => {
      const { answers, runs } = await twice(
        (ctx) => {
          ctx.status = 500;
        },
        [
          async (ctx, next) => {
            await next();
            ctx.status = 404;
            ctx.body = "mine";
          },
        ],
      );
      expect(answers.map(({ status, body }) => [status, body])).toEqual([
        [404, "mine"],
        [404, "mine"],
      ]);
      expect(runs).toBe(2);
    });

    for (const [style, mounted] of [
      ["bluumWebhooks", bluumWebhooks],
      ["bluumHandler", bluumHandler],
    ] as const) {
      for (const [how, body] of bodies) {
        it(`a refusal of ${style} stays one, although an outer middleware answers 200 by ${how}`, async () => {
          const store = { ...lostClaims, claim: () => Promise.reject(new Error("down")) };
          const receiver = quietReceiver({ store, namespace: "koa" }).on("*", () => {});
          const endpoint = await serve(new Framework().use(answering200(body)).use(mounted(receiver)));
          const { headers } = await endpoint.send(signed());
          expect(headers["retry-after"]).toBeDefined();
          expect(headers).not.toHaveProperty("x-app");
          expectRefusal(await endpoint.send(signed()), 503, "store_unavailable");
          expectRefusal(await endpoint.send({ body: "{}" }), 401, "signature_missing");
          await endpoint.close();
        });
      }
    }

    it("an outer middleware that streams a 200 after a failure sends 500", async () => {
      const { answers, runs } = await twice(() => {
        throw new Error("no");
      }, [
        async (ctx, next) => {
          await next().catch(() => {});
          ctx.body = Readable.from(["fine"]);
        },
      ]);
      expect(answers.map(({ status }) => status)).toEqual([500, 500]);
      expect(runs).toBe(2);
    });

    it("a throw after a 200 was sent by ctx.res has failed, and the log says so", async () => {
      const log: string[] = [];
      const receiver = quietReceiver({ logger: { warn: () => {}, error: (line) => log.push(line) } });
      const app = new Framework().use(bluumWebhooks(receiver)).use((ctx) => {
        ctx.status = 200;
        ctx.res.end("sent");
        throw new Error("no");
      });
      const endpoint = await serve(app);
      const delivery = signed();
      expect(await endpoint.send(delivery)).toMatchObject({ status: 200, body: "sent" });
      expect(await endpoint.send(delivery)).toMatchObject({ status: 200, body: "sent" });
      expect(log.join("\n")).toMatch(/failed, but 200 was answered/);
      await endpoint.close();
    });

    /** An app whose claims are lost. */
    const losing = (middleware: Middleware) =>
      new Framework().use(bluumWebhooks(quietReceiver({ store: lostClaims, namespace: "koa" }))).use(middleware);
    it("a lost claim is answered event_in_flight, not 2xx", async () => {
      const app = losing((ctx) => {
        ctx.body = { confidential: true };
      });
      const endpoint = await serve(app);
      expectRefusal(await endpoint.send(signed()), 503, "event_in_flight");
      await endpoint.close();
    });

    it("an overruled answer loses the app's headers", async () => {
      const app = losing((ctx) => {
        ctx.set({ "content-encoding": "br", "cache-control": "public", "x-app": "fine" });
        ctx.type = "text/plain";
        ctx.body = "fine";
      });
      const endpoint = await serve(app);
      const answer = await endpoint.send(signed());
      expectRefusal(answer, 503, "event_in_flight");
      for (const name of ["content-encoding", "cache-control", "x-app"])
        expect(answer.headers).not.toHaveProperty(name);
      expect(answer.headers["content-length"]).toBe(String(answer.body.length));
      await endpoint.close();
    });

    it("a claim that is lost after the app answered by ctx.res changes nothing", async () => {
      const errors: unknown[] = [];
      const app = losing((ctx) => {
        ctx.status = 200;
        ctx.res.end("sent");
      });
      app.on("error", (error) => errors.push(error));
      const endpoint = await serve(app);
      expect(await endpoint.send(signed())).toMatchObject({ status: 200, body: "sent" });
      await endpoint.close();
      expect(errors).toEqual([]);
    });

    it("if the sender disconnects, the status that the app sets later counts", async () => {
      const left = gate();
      const reports: DeliveryReport[] = [];
      let runs = 0;
      const app = new Framework()
        .use(bluumWebhooks(quietReceiver({ observe: (report) => reports.push(report) })))
        .use(async (ctx) => {
          runs += 1;
          await left.opened;
          ctx.status = 204;
        });
      const endpoint = await serve(app);
      const delivery = signed();
      const sender = new RawSender(endpoint.port);
      await sender.request(delivery);
      await until(() => runs === 1, "the app");
      sender.destroy();
      left.open();
      await until(() => reports.length === 1, "the settlement");
      expect((await endpoint.send(delivery)).body).toContain("duplicate");
      await endpoint.close();
    });

    it("bluumEvent without the middleware throws, naming it", async () => {
      const app = new Framework().use((ctx) => {
        expect(() => bluumEvent(ctx)).toThrow(expect.objectContaining({ code: "middleware_missing" }));
        ctx.status = 204;
      });
      const endpoint = await serve(app);
      expect(await endpoint.send(signed())).toSatisfy(isSuccess);
      await endpoint.close();
    });
  });
}
