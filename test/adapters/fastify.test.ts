import type { Server } from "node:http";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import fastify, {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type RouteHandlerMethod,
} from "fastify";
import { describe, expect, it } from "vitest";
import { bluumEvent, bluumHandler, bluumWebhooks } from "../../adapters/fastify.ts";
import type { DeliveryContext, DeliveryReport } from "../../src/index.ts";
import { handlerMember } from "./contract/handler.ts";
import { lostClaims } from "./contract/lost-claims.ts";
import { expectAlreadyParsed, expectTrueBytes, type Mounting, quietReceiver } from "./contract/mounts.ts";
import { type Answer, type Endpoint, listen, PATH, RawSender } from "./contract/sender.ts";
import { expectRefusal, gate, isSuccess, signed, until } from "./contract/trial.ts";
import { describeAdapterContract, expectNothingToEscape } from "./contract.ts";

expectNothingToEscape();

/** Fastify's own server, listening. */
async function serve(app: FastifyInstance): Promise<Endpoint> {
  await app.ready();
  return listen(app.server as Server);
}

describeAdapterContract({
  name: "Fastify 5, plugin with a handler of the app's",
  overSockets: true,
  appAnswers: true,
  start(receiver, work) {
    const app = fastify();
    app.register(bluumWebhooks(receiver), {
      prefix: PATH,
      handler: async (request, reply) => {
        const status = await work(bluumEvent(request), request.bluumDelivery as DeliveryContext);
        return reply.code(status).send();
      },
    });
    return serve(app);
  },
});

describeAdapterContract(
  handlerMember("Fastify 5, plugin with the receiver's handlers", true, (receiver) => {
    const app = fastify();
    app.register(bluumHandler(receiver), { prefix: PATH });
    return serve(app);
  }),
);

/** The app's own handler: records the event and `request.body`. */
const handled = ({ reached }: Mounting): RouteHandlerMethod => {
  return async (request, reply) => {
    reached(bluumEvent(request), request.body);
    reply.code(204);
  };
};
/** Prepares an app, and then mounts the receiver. */
const after =
  (prepare: (app: FastifyInstance) => void, options: object = {}) =>
  (mounting: Mounting) => {
    const app = fastify(options);
    prepare(app);
    app.register(bluumWebhooks(mounting.receiver), { prefix: PATH, handler: handled(mounting) });
    return serve(app);
  };

describe.concurrent("Fastify 5: where the receiver is mounted", () => {
  it("under a prefix, with the payload in request.body", () => expectTrueBytes(after(() => {})));
  it("in a plugin with a prefix, in another", () =>
    expectTrueBytes((mounting) => {
      const app = fastify();
      app.register(
        async (outer) => {
          outer.register(async (inner) => {
            inner.register(bluumWebhooks(mounting.receiver), { prefix: "/bluum", handler: handled(mounting) });
          });
        },
        { prefix: "/webhooks" },
      );
      return serve(app);
    }));
  it("with a parameter in its path", () =>
    expectTrueBytes((mounting) => {
      const app = fastify();
      app.register(bluumWebhooks(mounting.receiver), {
        prefix: "/:family/bluum",
        handler: async (request, reply) => {
          expect(request.params).toEqual({ family: "webhooks" });
          mounting.reached(bluumEvent(request));
          return reply.send({});
        },
      });
      return serve(app);
    }));
  it("on the whole app", () =>
    expectTrueBytes((mounting) => {
      const app = fastify({ rewriteUrl: () => "/" });
      app.register(bluumWebhooks(mounting.receiver), { handler: handled(mounting) });
      return serve(app);
    }));
  it("with bluumHandler in a plugin with a prefix", () =>
    expectTrueBytes(({ receiver, reached }) => {
      const app = fastify();
      app.register(
        async (scope) => {
          scope.register(bluumHandler(receiver.on("*", (event) => reached(event))), { prefix: "/bluum" });
        },
        { prefix: "/webhooks" },
      );
      return serve(app);
    }));
  it("without a handler the app does not start, and the error says why", async () => {
    const app = fastify();
    app.register(bluumWebhooks(quietReceiver()) as unknown as FastifyPluginAsync, { prefix: PATH });
    await expect(app.ready()).rejects.toMatchObject({ code: "configuration_invalid" });
  });
});

describe.concurrent("Fastify 5: the other routes of the app", () => {
  for (const [what, mount] of [
    [
      "bluumWebhooks",
      (app: FastifyInstance) => app.register(bluumWebhooks(quietReceiver()), { prefix: PATH, handler }),
    ],
    ["bluumHandler", (app: FastifyInstance) => app.register(bluumHandler(quietReceiver()), { prefix: PATH })],
  ] as const) {
    it(`a route beside ${what} keeps its JSON parser, its limit and its refusals`, async () => {
      const app = fastify({ bodyLimit: 100 });
      mount(app);
      app.post("/orders", async (request) => ({ got: request.body, event: request.bluumEvent ?? null }));
      await app.register(async (scope) => void scope.post("/in/scope", async (request) => ({ got: request.body })));
      const post = (url: string, payload: string, type = "application/json") =>
        app.inject({ method: "POST", url, payload, headers: { "content-type": type } });
      expect((await post("/orders", '{"a":1}')).json()).toEqual({ got: { a: 1 }, event: null });
      expect((await post("/in/scope", '{"a":1}')).json()).toEqual({ got: { a: 1 } });
      expect((await post("/orders", "{")).json()).toMatchObject({ code: "FST_ERR_CTP_INVALID_JSON_BODY" });
      expect((await post("/orders", "<a/>", "text/xml")).statusCode).toBe(415);
      expect((await post("/orders", JSON.stringify("x".repeat(100)))).statusCode).toBe(413);
      expectRefusal(answerOf(await post(PATH, "{}")), 401, "signature_missing");
      await app.close();
    });
  }
  const handler: RouteHandlerMethod = (_request, reply) => void reply.send();
});

describe.concurrent("Fastify 5: true bytes", () => {
  for (const chunkBytes of [undefined, 7]) {
    const how = chunkBytes === undefined ? "" : ", the body in chunks";
    const options = chunkBytes === undefined ? {} : { chunkBytes };
    for (const contentType of ["application/json", "text/plain", "application/x-bluum", "multipart/form-data"]) {
      it(`of a body that says it is ${contentType}${how}`, () =>
        expectTrueBytes(
          after(() => {}),
          { ...options, contentType },
        ));
    }
    it(`although the app has parsers of its own${how}`, () =>
      expectTrueBytes(
        after((app) => {
          app.removeContentTypeParser("application/json");
          app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) =>
            done(null, body),
          );
          app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
        }),
        options,
      ));
    it(`of a body larger than Fastify's own bodyLimit${how}`, () =>
      expectTrueBytes(
        after(() => {}, { bodyLimit: 1 }),
        options,
      ));
    it(`after slow hooks${how}`, () =>
      expectTrueBytes(
        after((app) => {
          for (const hook of ["onRequest", "preParsing", "preValidation"] as const)
            app.addHook(hook, () => new Promise((resolve) => setTimeout(resolve, 20)));
        }),
        options,
      ));
    it(`by app.inject, without a socket${how}`, () =>
      expectTrueBytes(async (mounting) => {
        const app = fastify();
        app.register(bluumWebhooks(mounting.receiver), { prefix: PATH, handler: handled(mounting) });
        return injecting(app);
      }, options));
  }

  it("with a second receiver as the route's own preValidation hook", () =>
    expectTrueBytes((mounting) => {
      const app = fastify();
      app.register(bluumWebhooks(quietReceiver()), {
        prefix: PATH,
        preValidation: async (request) => {
          const again = quietReceiver().handle({ method: "POST", headers: request.headers, body: rawBodyOf(request) });
          expect((await again).body).toContain("no_handlers");
        },
        handler: handled(mounting),
      });
      return serve(app);
    }));

  it("over HTTP/2", async () => {
    const app = fastify({ http2: true });
    const reached: string[] = [];
    app.register(bluumWebhooks(quietReceiver({ maxBodyBytes: 2_000 })), {
      prefix: PATH,
      handler: async (request, reply) => {
        reached.push(bluumEvent(request).id);
        return reply.code(204).send();
      },
    });
    await app.listen({ port: 0, host: "127.0.0.1" });
    const session = connect(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`);
    const statusOf = (headers: object, body: string | Uint8Array) =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":path": PATH, ":method": "POST", ...headers });
        stream.on("error", reject).on("response", (answer) => resolve(answer[":status"]));
        stream.end(body);
        stream.resume();
      });
    const delivery = signed();
    expect(await statusOf(delivery.headers, delivery.body)).toBe(204);
    expect(await statusOf(delivery.headers, delivery.body)).toBe(200);
    expect(await statusOf(delivery.headers, `${delivery.body} `)).toBe(401);
    expect(await statusOf(signed("x".repeat(2_001)).headers, "x".repeat(2_001))).toBe(413);
    expect(reached).toHaveLength(1);
    session.close();
    await app.close();
  });
});

describe.concurrent("Fastify 5: bytes that hooks take", () => {
  it("a preParsing hook that drained the stream: body_already_parsed at once", () =>
    expectAlreadyParsed(
      after((app) =>
        app.addHook("preParsing", async (_request, _reply, payload) => {
          const chunks: Buffer[] = [];
          for await (const chunk of payload) chunks.push(chunk as Buffer);
          return Readable.from(chunks);
        }),
      ),
    ));
  it("a preParsing hook that kept the bytes on the raw request: true bytes", () =>
    expectTrueBytes(
      after((app) =>
        app.addHook("preParsing", async ({ raw }, _reply, payload) => {
          const chunks: Buffer[] = [];
          for await (const chunk of payload) chunks.push(chunk as Buffer);
          Object.assign(raw, { rawBody: Buffer.concat(chunks) });
          return Readable.from(chunks);
        }),
      ),
    ));
});

describe.concurrent("Fastify 5: when the app's answer counts", () => {
  interface Tried {
    readonly answers: Answer[];
    readonly reports: DeliveryReport[];
    readonly runs: number;
  }

  /** Sends one delivery twice to an app with one handler. */
  async function twice(
    handler: RouteHandlerMethod,
    prepare: (app: FastifyInstance) => void = () => {},
    route: object = {},
  ): Promise<Tried> {
    let runs = 0;
    const reports: DeliveryReport[] = [];
    const app = fastify();
    prepare(app);
    app.register(bluumWebhooks(quietReceiver({ observe: (report) => reports.push(report) })), {
      ...route,
      prefix: PATH,
      handler(request, reply) {
        runs += 1;
        return handler.call(this, request, reply);
      },
    });
    const endpoint = await serve(app);
    const delivery = signed();
    const answers = [await endpoint.send(delivery)];
    await until(() => reports.length === 1, "the settlement");
    answers.push(await endpoint.send(delivery));
    await endpoint.close();
    return { answers, reports, runs };
  }
  /** Expects that the app's answer was a failure, and that the retry ran. */
  async function expectFailed(status: number, ...app: Parameters<typeof twice>): Promise<Tried> {
    const tried = await twice(...app);
    expect(tried.answers.map((answer) => answer.status)).toEqual([status, status]);
    expect(tried.runs).toBe(2);
    return tried;
  }
  async function expectProcessed(status: number, ...app: Parameters<typeof twice>): Promise<Tried> {
    const tried = await twice(...app);
    expect(tried.answers.map((answer) => answer.status)).toEqual([status, 200]);
    expect(tried.answers[1]?.body).toContain("duplicate");
    expect(tried.runs).toBe(1);
    return tried;
  }

  it("an async handler that returns an object has succeeded", () => expectProcessed(200, async () => ({ ok: true })));
  it("an async handler that returns nothing has succeeded: Fastify answers 200", () =>
    expectProcessed(200, async () => {}));
  it("a handler that sends later, without a promise, is waited for", () =>
    expectProcessed(201, (_request, reply) => void setTimeout(() => reply.code(201).send("done"), 20)));
  it("a handler that fails later, without a promise, has failed", () =>
    expectFailed(500, (_request, reply) => void setTimeout(() => reply.send(new Error("no")), 20)));
  it("a redirect has failed", () => expectFailed(302, async (_request, reply) => reply.redirect("/elsewhere")));
  it("an error with a statusCode keeps it, and has failed", () =>
    expectFailed(422, async () => {
      throw Object.assign(new Error("no"), { statusCode: 422 });
    }));
  it("an answer that cannot be made JSON has failed", () => expectFailed(500, async () => ({ n: 10n })));
  it("reply.callNotFound has failed, and the app's own 404 is sent", async () => {
    const { answers } = await expectFailed(
      404,
      (_request, reply) => void reply.callNotFound(),
      (app) => app.setNotFoundHandler((_request, reply) => void reply.code(404).send("mine")),
    );
    expect(answers[0]?.body).toBe("mine");
  });
  it("a body that the route's schema refuses has failed: 400", () =>
    twice(async () => {}, undefined, { schema: { body: { type: "object", required: ["missing"] } } }).then(
      ({ answers, runs }) => {
        expect(answers.map(({ status }) => status)).toEqual([400, 400]);
        expect(runs).toBe(0);
      },
    ));
  it("a schema that the payload fits lets it through", () =>
    expectProcessed(200, async () => ({}), undefined, { schema: { body: { type: "object", required: ["event"] } } }));

  for (const [what, handler] of [
    ["throws at once", () => Promise.reject(new Error("no"))],
    ["rejects with nothing", () => Promise.reject()],
    [
      "throws null",
      () => {
        throw null;
      },
    ],
    ["sends an error", (_request, reply) => void reply.send(new Error("no"))],
  ] as readonly (readonly [string, RouteHandlerMethod])[]) {
    for (const [how, errorHandler] of [
      ["sends", (_error, _request, reply) => void reply.code(200).send({ confidential: true })],
      ["returns", async () => ({ confidential: true })],
      ["streams", (_error, _request, reply) => void reply.code(200).send(Readable.from(["confidential"]))],
      ["answers with a Response", async () => new Response("confidential")],
    ] as readonly (readonly [string, Parameters<FastifyInstance["setErrorHandler"]>[0]])[]) {
      it(`a handler that ${what} is answered 500, although setErrorHandler ${how} with 200`, async () => {
        const { answers, reports } = await expectFailed(500, handler, (app) =>
          app.setErrorHandler((error, request, reply) => {
            reply.code(200).header("x-app", "confidential");
            return errorHandler.call(app, error, request, reply);
          }),
        );
        expectRefusal(answers[0] as Answer, 500, "handler_failed");
        expect(JSON.stringify(answers)).not.toContain("confidential");
        expect(reports.map(({ code }) => code)).toEqual(["handler_failed", "handler_failed"]);
      });
    }
  }

  it("an error is answered 500, although setErrorHandler answers 200 by reply.raw", () =>
    expectFailed(
      500,
      () => Promise.reject(new Error("no")),
      (app) =>
        app.setErrorHandler((_error, _request, reply) => {
          reply.hijack();
          reply.raw.writeHead(200).end("fine");
        }),
    ));

  it("the report of an overruled 200 has the status that was sent, and nothing is logged", async () => {
    const log: string[] = [];
    const reports: DeliveryReport[] = [];
    const receiver = quietReceiver({
      observe: (report) => reports.push(report),
      logger: { warn: () => {}, error: (line) => log.push(line) },
    });
    const app = fastify();
    app.setErrorHandler((_error, _request, reply) => void reply.code(200).send("fine"));
    app.register(bluumWebhooks(receiver), { prefix: PATH, handler: () => Promise.reject(new Error("no")) });
    const endpoint = await serve(app);
    expectRefusal(await endpoint.send(signed()), 500, "handler_failed");
    expect(reports).toMatchObject([{ code: "handler_failed", status: 500 }]);
    expect(log).toEqual([]);
    await endpoint.close();
  });

  it("the status after all onSend hooks counts", async () => {
    const change = (status: number) => async (_request: unknown, reply: { code(status: number): unknown }) =>
      void reply.code(status);
    await expectFailed(
      503,
      async () => ({}),
      (app) => app.addHook("onSend", change(503)),
    );
    await expectFailed(503, async () => ({}), undefined, { onSend: change(503) });
    await expectProcessed(202, async (_request, reply) => reply.code(500).send(), undefined, {
      onSend: [change(201), change(202)],
    });
  });

  /** Sets the status in an onSend hook that runs after the receiver's, as that of a plugin with an onRoute hook. */
  const changeLast = (status: number) => (app: FastifyInstance) => {
    app.addHook("onRoute", (route) => {
      const change = async (_request: unknown, reply: FastifyReply) => void reply.code(status);
      route.onSend = [route.onSend ?? [], change].flat();
    });
  };
  for (const [what, handler] of [
    ["a 500", async (_request, reply) => reply.code(500).send("no")],
    ["a 404", async (_request, reply) => reply.code(404).send("no")],
    ["a streamed 500", async (_request, reply) => reply.code(500).send(Readable.from(["no"]))],
    ["an error", () => Promise.reject(new Error("no"))],
  ] as readonly (readonly [string, RouteHandlerMethod])[]) {
    it(`an onSend hook behind the receiver's that turns ${what} into 200 is overruled, and the retry runs`, () =>
      expectFailed(500, handler, changeLast(200)));
  }
  it("an onSend hook behind the receiver's may turn a 500 into another failure", () =>
    expectFailed(404, async (_request, reply) => reply.code(500).send("no"), changeLast(404)));
  it("an onSend hook behind the receiver's changes no refusal", async () => {
    const app = fastify();
    changeLast(200)(app);
    app.register(bluumWebhooks(quietReceiver()), { prefix: PATH, handler: async () => ({}) });
    app.register(bluumHandler(quietReceiver().on("*", () => {})), { prefix: `${PATH}/other` });
    const endpoint = await serve(app);
    expectRefusal(await endpoint.send({ body: "{}" }), 401, "signature_missing");
    expect((await app.inject({ method: "POST", url: `${PATH}/other`, payload: "{}" })).statusCode).toBe(401);
    await endpoint.close();
  });

  it("a Response counts by its own status", async () => {
    await expectProcessed(202, async () => new Response("done", { status: 202 }));
    await expectFailed(409, async () => new Response("no", { status: 409 }));
  });
  it("a stream counts once it has ended", () => expectProcessed(200, async () => Readable.from(["a", "b"])));
  it("a stream that fails before it began has failed", () =>
    expectFailed(
      500,
      async () =>
        new Readable({
          read() {
            this.destroy(new Error("no"));
          },
        }),
    ));

  for (const [status, succeeds] of [
    [204, true],
    [500, false],
  ] as const) {
    it(`after reply.hijack a later ${status} on reply.raw counts`, () => {
      const handler: RouteHandlerMethod = async (_request, reply) => {
        reply.hijack();
        setTimeout(() => reply.raw.writeHead(status).end(), 10);
      };
      return succeeds ? expectProcessed(status, handler) : expectFailed(status, handler);
    });
  }

  it("an async handler may write to reply.raw after it has returned", async () => {
    const { answers } = await expectProcessed(200, async (_request, reply) => {
      reply.raw.write("begun, ");
      setTimeout(() => reply.raw.end("ended"), 10);
    });
    expect(answers[0]?.body).toBe("begun, ended");
  });

  it("a lost claim is answered event_in_flight, and nothing of the app's", async () => {
    const app = fastify();
    app.register(bluumWebhooks(quietReceiver({ store: lostClaims, namespace: "fastify" })), {
      prefix: PATH,
      handler: async (_request, reply) => reply.header("x-app", "confidential").send({ confidential: true }),
    });
    const endpoint = await serve(app);
    const answer = await endpoint.send(signed());
    expectRefusal(answer, 503, "event_in_flight");
    expect(JSON.stringify(answer)).not.toContain("confidential");
    await endpoint.close();
  });

  for (const [what, answer] of [
    ["returns nothing", async () => {}],
    ["returns an object", async () => ({ ok: true })],
    ["sends", async (_request, reply) => reply.code(204).send()],
  ] as readonly (readonly [string, RouteHandlerMethod])[]) {
    it(`if the sender disconnects before the handler ${what}, the result counts`, async () => {
      const left = gate();
      const reports: DeliveryReport[] = [];
      let runs = 0;
      const app = fastify();
      app.register(bluumWebhooks(quietReceiver({ observe: (report) => reports.push(report) })), {
        prefix: PATH,
        async handler(request, reply) {
          runs += 1;
          await left.opened;
          return answer.call(this, request, reply);
        },
      });
      const endpoint = await serve(app);
      const delivery = signed();
      const sender = new RawSender(endpoint.port);
      await sender.request(delivery);
      await until(() => runs === 1, "the app");
      const gone = new Promise((resolve) => app.server.once("connection", resolve));
      sender.destroy();
      await sender.closed;
      // The server has noticed it after it has answered on the next connection.
      expectRefusal(await endpoint.send(delivery), 503, "event_in_flight");
      await gone;
      left.open();
      await until(() => reports.some(({ outcome }) => outcome === "accepted"), "the settlement");
      expect((await endpoint.send(delivery)).body).toContain("duplicate");
      expect(runs).toBe(1);
      await endpoint.close();
    });
  }

  it("bluumEvent outside the plugin throws, naming it", async () => {
    const app = fastify();
    app.post(PATH, async (request, reply) => {
      expect(() => bluumEvent(request)).toThrow(expect.objectContaining({ code: "middleware_missing" }));
      return reply.code(204).send();
    });
    const endpoint = await serve(app);
    expect(await endpoint.send(signed())).toSatisfy(isSuccess);
    await endpoint.close();
  });
});

type Injected = Awaited<ReturnType<FastifyInstance["inject"]>>;

function answerOf({ statusCode, headers, body }: Injected): Answer {
  return { status: statusCode, headers: headers as Record<string, string>, body };
}

function rawBodyOf({ raw }: { raw: object }): Uint8Array {
  return (raw as { rawBody: Uint8Array }).rawBody;
}

/** An app that is called by inject, as in its own tests. */
function injecting(app: FastifyInstance): Endpoint {
  return {
    port: 0,
    close: () => app.close(),
    async send({ method = "POST", headers = {}, body = "", chunkBytes }) {
      const bytes = Buffer.from(body as Uint8Array);
      const payload = chunkBytes === undefined ? bytes : Readable.from(chunked(bytes, chunkBytes));
      const options = { method: method as "POST", url: PATH, headers: headers as Record<string, string>, payload };
      return answerOf(await app.inject(options));
    },
  };
}

function* chunked(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
