import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { cloneRawRequest } from "hono/request";
import type { StatusCode } from "hono/utils/http-status";
import { validator } from "hono/validator";
import { describe, expect, it } from "vitest";
import { type BluumVariables, bluumEvent, bluumHandler, bluumWebhooks } from "../../adapters/hono.ts";
import type { DeliveryReport } from "../../src/index.ts";
import { handlerMember } from "./contract/handler.ts";
import { lostClaims } from "./contract/lost-claims.ts";
import { expectAlreadyParsed, expectTrueBytes, type Mounting, quietReceiver } from "./contract/mounts.ts";
import { type Answer, type Endpoint, inProcess, listen, PATH } from "./contract/sender.ts";
import { expectRefusal, isSuccess, signed } from "./contract/trial.ts";
import { describeAdapterContract, expectNothingToEscape } from "./contract.ts";

expectNothingToEscape();

/** Without an onError Hono prints every error. */
function quiet(app: Hono): Hono {
  return app.onError((error, c) => (error instanceof HTTPException ? error.getResponse() : c.text("failed", 500)));
}

for (const [where, overSockets, serve] of [
  ["on @hono/node-server", true, (app: Hono): Promise<Endpoint> => listen(createAdaptorServer(app) as Server)],
  ["by app.request", false, async (app: Hono): Promise<Endpoint> => inProcess((request) => app.request(request))],
] as const) {
  describeAdapterContract({
    name: `Hono ${where}, middleware`,
    overSockets,
    appAnswers: true,
    start(receiver, work) {
      const app = new Hono();
      app.all(PATH, bluumWebhooks(receiver), async (c) =>
        c.body(null, (await work(bluumEvent(c), c.get("bluumDelivery"))) as StatusCode),
      );
      return serve(quiet(app));
    },
  });

  describeAdapterContract(
    handlerMember(`Hono ${where}, handler`, overSockets, (receiver) =>
      serve(quiet(new Hono().all(PATH, bluumHandler(receiver)))),
    ),
  );

  /** The app's own handler: records the event, and the body from `c.req`. */
  const handled =
    ({ reached }: Mounting, read: (c: Context) => Promise<unknown> = (c) => c.req.json()) =>
    async (c: Context) => {
      reached(bluumEvent(c), await read(c));
      return c.body(null, 204);
    };
  const stacked =
    (before: MiddlewareHandler[], after: MiddlewareHandler[] = [], read?: (c: Context) => Promise<unknown>) =>
    (mounting: Mounting) => {
      const app = new Hono();
      for (const each of before) app.use(PATH, each);
      app.use(PATH, bluumWebhooks(mounting.receiver));
      for (const each of after) app.use(PATH, each);
      return serve(quiet(app.post(PATH, handled(mounting, read))));
    };
  const reading =
    (read: (c: Context) => unknown): MiddlewareHandler =>
    async (c, next) => {
      await read(c);
      await next();
    };

  describe.concurrent(`Hono ${where}: where the receiver is mounted`, () => {
    it("on a route", () =>
      expectTrueBytes((mounting) =>
        serve(quiet(new Hono().post(PATH, bluumWebhooks(mounting.receiver), handled(mounting)))),
      ));
    it("by app.use on a path", () => expectTrueBytes(stacked([])));
    it("behind a middleware that sets the signature header", async () => {
      const { headers, body } = signed();
      const app = new Hono()
        .use(PATH, async (c, next) => {
          c.req.raw.headers.set("x-bluum-signature", c.req.header("x-forwarded-signature") ?? "");
          await next();
        })
        .post(PATH, bluumWebhooks(quietReceiver()), (c) => c.body(null, 204));
      const endpoint = await serve(quiet(app));
      const forwarded = { "x-forwarded-signature": headers["X-Bluum-Signature"] as string };
      expect(await endpoint.send({ headers: forwarded, body })).toSatisfy(isSuccess);
      await endpoint.close();
    });
    it("on the whole app", () =>
      expectTrueBytes((mounting) => {
        const app = new Hono();
        app.use(bluumWebhooks(mounting.receiver));
        return serve(quiet(app.post(PATH, handled(mounting))));
      }));
    it("under basePath", () =>
      expectTrueBytes((mounting) =>
        serve(
          quiet(
            new Hono()
              .basePath("/webhooks")
              .post("/bluum", bluumWebhooks(mounting.receiver), handled(mounting)) as unknown as Hono,
          ),
        ),
      ));
    it("in an app under app.route, with an onError of its own", () =>
      expectTrueBytes((mounting) => {
        const inner = new Hono().post("/bluum", bluumWebhooks(mounting.receiver), handled(mounting));
        inner.onError((_error, c) => c.text("inner", 500));
        return serve(quiet(new Hono().route("/webhooks", inner as unknown as Hono)));
      }));
    it("with bluumHandler in an app under app.route", () =>
      expectTrueBytes(({ receiver, reached }) => {
        const inner = new Hono().post("/bluum", bluumHandler(receiver.on("*", (event) => reached(event))));
        return serve(quiet(new Hono().route("/webhooks", inner)));
      }));
    it("with bluumHandler under app.mount of a plain fetch handler", () =>
      expectTrueBytes(({ receiver, reached }) => {
        const inner = new Hono().post("/bluum", bluumHandler(receiver.on("*", (event) => reached(event))));
        return serve(quiet(new Hono().mount("/webhooks", (request) => inner.fetch(request))));
      }));
  });

  describe.concurrent(`Hono ${where}: true bytes`, () => {
    for (const chunkBytes of [undefined, 7]) {
      const how = chunkBytes === undefined ? "" : ", the body in chunks";
      const options = chunkBytes === undefined ? {} : { chunkBytes };
      it(`after c.req.arrayBuffer()${how}`, () =>
        expectTrueBytes(stacked([reading((c) => c.req.arrayBuffer())]), options));
      it(`after c.req.bytes()${how}`, () => expectTrueBytes(stacked([reading((c) => c.req.bytes())]), options));
      it(`after c.req.blob()${how}`, () => expectTrueBytes(stacked([reading((c) => c.req.blob())]), options));
      it(`after c.req.blob() and then c.req.json(), which Hono makes of the blob${how}`, () =>
        expectTrueBytes(stacked([reading(async (c) => (await c.req.blob()) && c.req.json())]), options));
      it(`after hono/body-limit${how}`, () => expectTrueBytes(stacked([bodyLimit({ maxSize: 10_000 })]), options));
      it(`before hono/body-limit${how}`, () => expectTrueBytes(stacked([], [bodyLimit({ maxSize: 10_000 })]), options));
      it(`after a middleware that read a clone of the request${how}`, () =>
        expectTrueBytes(stacked([reading((c) => c.req.raw.clone().json())]), options));
      it(`before c.req.json(), twice, and c.req.text()${how}`, () =>
        expectTrueBytes(
          stacked([], [reading((c) => c.req.json())], async (c) =>
            JSON.parse((await c.req.json()) && (await c.req.text())),
          ),
          options,
        ));
      it(`before c.req.arrayBuffer()${how}`, () =>
        expectTrueBytes(
          stacked([], [], async (c) => JSON.parse(Buffer.from(await c.req.arrayBuffer()).toString())),
          options,
        ));
      it(`before c.req.blob()${how}`, () =>
        expectTrueBytes(
          stacked([], [], async (c) => JSON.parse(await (await c.req.blob()).text())),
          options,
        ));
      it(`before hono's cloneRawRequest(c.req)${how}`, () =>
        expectTrueBytes(
          stacked([], [], async (c) => (await cloneRawRequest(c.req)).json()),
          options,
        ));
    }
    it("before validator('json')", () =>
      expectTrueBytes(stacked([], [validator("json", (value) => value)], async (c) => c.req.valid("json" as never))));
    it("after a middleware that used c.req.raw.body without reading it", () =>
      expectTrueBytes(stacked([reading((c) => [c.req.raw.body, c.req.header("content-type"), c.req.raw.bodyUsed])])));
  });

  describe.concurrent(`Hono ${where}: body_already_parsed at once`, () => {
    for (const [what, read] of [
      ["c.req.json()", (c: Context) => c.req.json()],
      ["c.req.text()", (c: Context) => c.req.text()],
      [
        "c.req.text() and then c.req.arrayBuffer(), which Hono makes of the text",
        async (c: Context) => (await c.req.text()) && c.req.arrayBuffer(),
      ],
      [
        "c.req.json() and then c.req.arrayBuffer(), which Hono makes of the text",
        async (c: Context) => (await c.req.json()) && c.req.arrayBuffer(),
      ],
      [
        "c.req.text() and then c.req.blob(), which Hono makes of the text",
        async (c: Context) => (await c.req.text()) && c.req.blob(),
      ],
      ["c.req.raw.json()", (c: Context) => c.req.raw.json()],
      ["c.req.raw.arrayBuffer()", (c: Context) => c.req.raw.arrayBuffer()],
      ["a reader that holds the body", (c: Context) => void c.req.raw.body?.getReader()],
      [
        "a reader that took the first part of the body",
        async (c: Context) => {
          const reader = c.req.raw.body?.getReader();
          await reader?.read();
          reader?.releaseLock();
        },
      ],
    ] as const) {
      const remedy = "c.req.arrayBuffer() or c.req.blob()";
      it(`after ${what}`, () => expectAlreadyParsed(stacked([reading(read)]), { remedy }));
      it(`after ${what}, the body in chunks`, () =>
        expectAlreadyParsed(stacked([reading(read)]), { chunkBytes: 7, remedy }));
    }
    it("after validator('json')", () => expectAlreadyParsed(stacked([validator("json", (value) => value)])));
    it("after c.req.json(), for bluumHandler", () =>
      expectAlreadyParsed(({ receiver }) => {
        const app = new Hono();
        app.use(reading((c) => c.req.json()));
        return serve(quiet(app.post(PATH, bluumHandler(receiver.on("*", () => {})))));
      }));
  });

  describe.concurrent(`Hono ${where}: one delivery, two mounts`, () => {
    it("one receiver, as middleware twice", () =>
      expectTrueBytes((mounting) => stacked([bluumWebhooks(mounting.receiver)])(mounting)));
    it("one receiver, as middleware and as handler", () =>
      expectTrueBytes(({ receiver, reached }) => {
        const app = new Hono();
        app.use(bluumWebhooks(receiver));
        return serve(quiet(app.post(PATH, bluumHandler(receiver.on("*", (event) => reached(event))))));
      }));
    it("two receivers with their own stores", () => expectTrueBytes(stacked([bluumWebhooks(quietReceiver())])));
    it("two receivers, with c.req.json() between them", () =>
      expectTrueBytes(stacked([bluumWebhooks(quietReceiver()), reading((c) => c.req.json())])));
  });

  describe.concurrent(`Hono ${where}: when the app's answer counts`, () => {
    type Inner = Hono<{ Variables: BluumVariables }>;
    /** Sends one delivery twice to an app. */
    async function twice(
      handler: (c: Context) => unknown,
      shape: (app: Inner) => Hono = (app) => quiet(app as unknown as Hono),
    ) {
      let runs = 0;
      const reports: DeliveryReport[] = [];
      const app: Inner = new Hono();
      app.post(PATH, bluumWebhooks(quietReceiver({ observe: (report) => reports.push(report) })), (c) => {
        runs += 1;
        return handler(c) as Response;
      });
      const endpoint = await serve(shape(app));
      const delivery = signed();
      const answers: Answer[] = [await endpoint.send(delivery), await endpoint.send(delivery)];
      await endpoint.close();
      return { answers, reports, runs };
    }
    const failing = () => {
      throw new Error("no");
    };

    it("an onError that answers 200 is overruled, and the retry runs", async () => {
      const { answers, reports, runs } = await twice(
        failing,
        (app) => app.onError((_error, c) => c.json({ fine: true }, 200, { "x-from": "onError" })) as unknown as Hono,
      );
      for (const answer of answers) {
        expectRefusal(answer, 500, "handler_failed");
        expect(answer.headers).not.toHaveProperty("x-from");
      }
      expect(reports.map(({ code, error }) => [code, (error as Error).message])).toEqual([
        ["handler_failed", "no"],
        ["handler_failed", "no"],
      ]);
      expect(runs).toBe(2);
    });
    it("an onError of an inner app under app.route is overruled", async () => {
      const { answers, runs } = await twice(failing, (app) => {
        app.onError((_error, c) => c.text("fine", 202));
        return quiet(new Hono().route("/", app as unknown as Hono));
      });
      for (const answer of answers) expectRefusal(answer, 500, "handler_failed");
      expect(runs).toBe(2);
    });
    it("an onError that answers 400 keeps its answer, and the retry runs", async () => {
      const { answers, runs } = await twice(
        failing,
        (app) => app.onError((_error, c) => c.text("mine", 400)) as unknown as Hono,
      );
      expect(answers.map(({ status, body }) => [status, body])).toEqual([
        [400, "mine"],
        [400, "mine"],
      ]);
      expect(runs).toBe(2);
    });
    it("an onError that throws is answered 500 handler_failed", async () => {
      const { answers, runs } = await twice(failing, (app) => app.onError(failing) as unknown as Hono);
      for (const answer of answers) expectRefusal(answer, 500, "handler_failed");
      expect(runs).toBe(2);
    });
    const outer200 = (app: Inner): Hono => {
      const outer = new Hono().use(async (c, next) => {
        await next();
        c.res = c.text("fine");
      });
      return quiet(outer.route("/", app as unknown as Hono));
    };
    // Only on Node can such an answer be replaced.
    const sent = (failure: number) => (overSockets ? failure : 200);
    const failures: readonly (readonly [string, (c: Context) => unknown])[] = [
      ["an error", failing],
      ["a 404", (c) => c.notFound()],
      ["a 500", (c) => c.text("mine", 500)],
    ];
    for (const [what, handler] of failures) {
      it(`an outer middleware that turns ${what} into 200 does not make the event processed, and Node sends 500`, async () => {
        const { answers, reports, runs } = await twice(handler, outer200);
        expect(answers.map(({ status }) => status)).toEqual([sent(500), sent(500)]);
        expect(reports.map(({ code }) => code)).toEqual(["handler_failed", "handler_failed"]);
        expect(runs).toBe(2);
      });
    }
    for (const [style, mounted] of [
      ["bluumWebhooks", bluumWebhooks as () => MiddlewareHandler],
      ["bluumHandler", bluumHandler],
    ] as const) {
      it(`a refusal of ${style} that an outer middleware turns into 200 stays one on Node`, async () => {
        const store = { ...lostClaims, claim: () => Promise.reject(new Error("down")) };
        const receiver = quietReceiver({ store, namespace: "hono" }).on("*", () => {});
        const inner: unknown = new Hono().all(PATH, (mounted as typeof bluumHandler)(receiver));
        const endpoint = await serve(outer200(inner as Inner));
        expect((await endpoint.send(signed())).status).toBe(sent(503));
        expect((await endpoint.send({ body: "{}" })).status).toBe(sent(401));
        await endpoint.close();
      });
    }
    it("an outer middleware may turn a 500 into another failure, or a success into another", async () => {
      const outer = (app: Inner): Hono => {
        const wrapped = new Hono().use(async (c, next) => {
          await next();
          c.res = c.text("mine", c.res.status === 500 ? 404 : 201);
        });
        return quiet(wrapped.route("/", app as unknown as Hono));
      };
      expect((await twice((c) => c.text("no", 500), outer)).answers[0]).toMatchObject({ status: 404, body: "mine" });
      expect((await twice((c) => c.body(null, 204), outer)).answers[0]).toMatchObject({ status: 201, body: "mine" });
    });
    it("an HTTPException of status 200 is overruled", async () => {
      const { answers, runs } = await twice(() => {
        throw new HTTPException(200 as never, { res: new Response("fine") });
      });
      for (const answer of answers) expectRefusal(answer, 500, "handler_failed");
      expect(runs).toBe(2);
    });
    it("an HTTPException of status 422 keeps its status, and the retry runs", async () => {
      const { answers, runs } = await twice(() => {
        throw new HTTPException(422);
      });
      expect(answers.map(({ status }) => status)).toEqual([422, 422]);
      expect(runs).toBe(2);
    });
    for (const [what, thrown] of [
      ["null", null],
      ["undefined", undefined],
      ["a string", "no"],
    ] as const) {
      it(`a handler that throws ${what} is answered 500 handler_failed`, async () => {
        const { answers, runs } = await twice(() => {
          throw thrown;
        });
        for (const answer of answers) expectRefusal(answer, 500, "handler_failed");
        expect(runs).toBe(2);
      });
    }
    it("a handler that returns nothing has failed, whatever onError answers", async () => {
      const { answers, runs } = await twice(
        () => undefined,
        (app) => app.onError((_error, c) => c.text("fine")) as unknown as Hono,
      );
      for (const answer of answers) expectRefusal(answer, 500, "handler_failed");
      expect(runs).toBe(2);
    });
    it("a redirect has failed", async () => {
      const { answers, runs } = await twice((c) => c.redirect("/elsewhere"));
      expect(answers.map(({ status }) => status)).toEqual([302, 302]);
      expect(runs).toBe(2);
    });
    it("middleware without a handler behind it has failed: 404", async () => {
      const endpoint = await serve(quiet(new Hono().use(PATH, bluumWebhooks(quietReceiver())) as unknown as Hono));
      const delivery = signed();
      expect((await endpoint.send(delivery)).status).toBe(404);
      expect((await endpoint.send(delivery)).status).toBe(404);
      await endpoint.close();
    });
    it("a lost claim is answered event_in_flight, without the app's headers", async () => {
      const receiver = quietReceiver({ store: lostClaims, namespace: "hono" });
      const endpoint = await serve(
        quiet(
          new Hono().post(PATH, bluumWebhooks(receiver), (c) =>
            c.json({}, 200, { "x-from": "app" }),
          ) as unknown as Hono,
        ),
      );
      const answer = await endpoint.send(signed());
      expectRefusal(answer, 503, "event_in_flight");
      expect(answer.headers).not.toHaveProperty("x-from");
      await endpoint.close();
    });
    it("bluumEvent without the middleware throws, naming it", async () => {
      const endpoint = await serve(
        quiet(
          new Hono().post(PATH, (c) => {
            expect(() => bluumEvent(c)).toThrow(expect.objectContaining({ code: "middleware_missing" }));
            return c.body(null, 204);
          }),
        ),
      );
      expect(await endpoint.send(signed())).toSatisfy(isSuccess);
      await endpoint.close();
    });
  });
}

describe("Hono on a runtime that stops after the answer", () => {
  it.each(["middleware", "handler"] as const)(
    "the %s passes a pending completion to the execution context",
    async (style) => {
      let failures = 1;
      const store = {
        claim: async () => ({ status: "claimed" as const }),
        renew: async () => true,
        release: async () => true,
        complete: async () => {
          failures -= 1;
          if (failures >= 0) throw new Error("away for a moment");
          return "stored" as const;
        },
      };
      const receiver = quietReceiver({ store, namespace: "hono", leaseMs: 1_000 }).on("*", () => {});
      const app = new Hono();
      if (style === "handler") app.post(PATH, bluumHandler(receiver));
      else app.post(PATH, bluumWebhooks(receiver), (c) => c.body(null, 204));
      const held: Promise<unknown>[] = [];
      const context = {
        waitUntil: (work: Promise<unknown>) => void held.push(work),
        passThroughOnException() {},
        props: {},
      };
      const request = new Request(`http://localhost${PATH}`, signed() as RequestInit);
      expect((await app.fetch(request, {}, context)).status).toBeLessThan(300);
      await Promise.all(held);
      expect(failures).toBe(-1);
    },
  );
});
