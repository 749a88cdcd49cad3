import "reflect-metadata";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type {
  ArgumentsHost,
  ExceptionFilter,
  INestApplication,
  MiddlewareConsumer,
  NestModule,
  Type,
} from "@nestjs/common";
import { Catch, Controller, Module, Post, Req, Res } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { describe, expect, it } from "vitest";
import { bluumEvent, bluumFailed, bluumWebhooks } from "../../adapters/express.ts";
import { bluumWebhooks as fastifyWebhooks } from "../../adapters/fastify.ts";
import { bluumHandler, sendReply, toDelivery } from "../../adapters/node.ts";
import type { Receiver } from "../../src/index.ts";
import { handlerMember } from "./contract/handler.ts";
import { expectAlreadyParsed, expectTrueBytes, type Mounting, quietReceiver } from "./contract/mounts.ts";
import { type Answer, type Endpoint, listen, PATH } from "./contract/sender.ts";
import { expectRefusal, signed } from "./contract/trial.ts";
import { describeAdapterContract, expectNothingToEscape } from "./contract.ts";

expectNothingToEscape();

type Create = (module: Type, options: { rawBody?: boolean }) => Promise<INestApplication>;

/** Prepares an app, as in its main.ts, and starts it. */
async function serve(app: INestApplication, prepare: (app: INestApplication) => void = () => {}): Promise<Endpoint> {
  prepare(app);
  await app.init();
  await app.getHttpAdapter().getInstance().ready?.();
  return listen(app.getHttpServer() as Server);
}

/** A module, decorated by plain calls: the tests' compiler does not know legacy decorators. */
function moduleOf(...controllers: Type[]): Type {
  class AppModule {}
  Module({ controllers })(AppModule);
  return AppModule;
}

/** A controller on the webhook's path whose method gets the request and, if it takes it, the response. */
function controllerOf(answer: (request: never, response: never) => unknown, takesResponse: boolean): Type {
  class WebhookController {
    receive(request: never, response: never): unknown {
      return answer(request, response);
    }
  }
  const { prototype } = WebhookController;
  Req()(prototype, "receive", 0);
  if (takesResponse) Res()(prototype, "receive", 1);
  Post()(prototype, "receive", Object.getOwnPropertyDescriptor(prototype, "receive") as PropertyDescriptor);
  Controller(PATH)(WebhookController);
  return WebhookController;
}

/** The used fields of the requests and responses of both platforms. */
interface AnyRequest {
  readonly raw?: IncomingMessage;
  readonly rawBody?: unknown;
}
interface AnyResponse {
  readonly raw?: ServerResponse;
  hijack?(): void;
}

/** The controller of docs/start/nestjs.md, for both platforms. */
const handling = (receiver: Receiver): Type =>
  controllerOf(async (request: AnyRequest, response: AnyResponse) => {
    const req = request.raw ?? (request as IncomingMessage);
    const reply = await receiver.handle(toDelivery(req, [request.rawBody]));
    response.hijack?.();
    sendReply(req, response.raw ?? (response as ServerResponse), reply);
  }, true);

for (const [platform, create] of [
  ["Express", (module, options) => NestFactory.create(module, { ...options, logger: false })],
  ["Fastify", (module, options) => NestFactory.create(module, new FastifyAdapter(), { ...options, logger: false })],
] as readonly (readonly [string, Create])[]) {
  for (const rawBody of [false, true]) {
    const how = rawBody ? "with rawBody: true" : "without rawBody";
    describeAdapterContract(
      handlerMember(`NestJS 11 on ${platform}, app.use, ${how}`, true, async (receiver) =>
        serve(await create(moduleOf(), { rawBody }), (app) => app.use(PATH, bluumHandler(receiver))),
      ),
    );
  }

  describe.concurrent(`NestJS 11 on ${platform}: a controller`, () => {
    const controlling =
      (rawBody: boolean) =>
      async ({ receiver, reached }: Mounting) =>
        serve(await create(moduleOf(handling(receiver.on("*", (event) => reached(event)))), { rawBody }));

    for (const chunkBytes of [undefined, 7]) {
      const options = chunkBytes === undefined ? {} : { chunkBytes };
      const how = chunkBytes === undefined ? "" : ", the body in chunks";
      it(`gets the bytes that rawBody: true keeps${how}`, () => expectTrueBytes(controlling(true), options));
      it(`is body_already_parsed at once without rawBody${how}`, () =>
        expectAlreadyParsed(controlling(false), options));
    }

    it("beside app.use still gets parsed bodies", async () => {
      const app = await create(moduleOf(controllerOf((request: { body: unknown }) => request.body, false)), {});
      const endpoint = await serve(app, (started) => started.use("/elsewhere", bluumHandler(quietReceiver())));
      const answer = await endpoint.send({ headers: { "content-type": "application/json" }, body: '{"a":1}' });
      expect(answer).toMatchObject({ status: 201, body: '{"a":1}' });
      await endpoint.close();
    });

    it("is answered 500 if its handler throws, and the retry runs", async () => {
      let runs = 0;
      const receiver = quietReceiver().on("*", () => {
        runs += 1;
        throw new Error("no");
      });
      const endpoint = await serve(await create(moduleOf(handling(receiver)), { rawBody: true }));
      const delivery = signed();
      expect((await endpoint.send(delivery)).body).toContain("handler_failed");
      expect((await endpoint.send(delivery)).body).toContain("handler_failed");
      expect(runs).toBe(2);
      await endpoint.close();
    });
  });
}

/** An exception filter of the whole app that answers 200 to everything. */
function filter(first: (exception: unknown, request: IncomingMessage) => void = () => {}): ExceptionFilter {
  class AnyFilter implements ExceptionFilter {
    catch(exception: unknown, host: ArgumentsHost): void {
      const http = host.switchToHttp();
      first(exception, http.getRequest());
      http.getResponse().status(200).send({ confidential: true });
    }
  }
  Catch()(AnyFilter);
  return new AnyFilter();
}

describe.concurrent("NestJS 11: an exception filter that answers 200", () => {
  const fail = () => {
    throw new Error("no");
  };

  /** Sends one delivery twice to an app with the filter. */
  async function twice(
    mount: (receiver: Receiver) => Promise<INestApplication>,
    answering: ExceptionFilter,
  ): Promise<{ answers: Answer[]; codes: unknown[] }> {
    const codes: unknown[] = [];
    const receiver = quietReceiver({ observe: ({ code }) => codes.push(code) });
    const endpoint = await serve(await mount(receiver), (app) => app.useGlobalFilters(answering));
    const delivery = signed();
    const answers = [await endpoint.send(delivery), await endpoint.send(delivery)];
    await endpoint.close();
    return { answers, codes };
  }

  const controlled = (receiver: Receiver) => {
    const controller = controllerOf(fail, false);
    class AppModule implements NestModule {
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply(bluumWebhooks(receiver)).forRoutes(controller);
      }
    }
    Module({ controllers: [controller] })(AppModule);
    return NestFactory.create(AppModule, { rawBody: true, logger: false });
  };

  it("to a controller behind bluumWebhooks on Express makes the event count as processed", async () => {
    const { answers } = await twice(controlled, filter());
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[1]?.body).toContain("duplicate");
  });

  it("and calls bluumFailed is overruled: 500, and the retry runs", async () => {
    const failing = filter((exception, request) => void bluumFailed(request, exception));
    const { answers, codes } = await twice(controlled, failing);
    for (const answer of answers) expectRefusal(answer, 500, "handler_failed");
    expect(codes).toEqual(["handler_failed", "handler_failed"]);
  });

  const onFastify = () => NestFactory.create(moduleOf(), new FastifyAdapter(), { logger: false });
  for (const [what, mount] of [
    [
      "a handler given to bluumWebhooks in app.use on Express",
      async (receiver) =>
        (await NestFactory.create(moduleOf(), { logger: false })).use(PATH, bluumWebhooks(receiver, fail)),
    ],
    [
      "a handler given to bluumWebhooks in app.use on Fastify",
      async (receiver) => (await onFastify()).use(PATH, bluumWebhooks(receiver, fail)),
    ],
    [
      "the plugin of Fastify",
      async (receiver) => {
        const app = await onFastify();
        app.getHttpAdapter().getInstance().register(fastifyWebhooks(receiver), { prefix: PATH, handler: fail });
        return app;
      },
    ],
  ] as [string, (receiver: Receiver) => Promise<INestApplication>][]) {
    it(`to ${what} is overruled: 500, and the retry runs`, async () => {
      const seen: unknown[] = [];
      const { answers, codes } = await twice(
        mount,
        filter((exception) => void seen.push((exception as Error).message)),
      );
      expect(answers.map(({ status }) => status)).toEqual([500, 500]);
      expect(codes).toEqual(["handler_failed", "handler_failed"]);
      expect(seen).toEqual(["no", "no"]);
    });
  }
});

describe.concurrent("NestJS 11 on Express: the middleware before a controller", () => {
  /** A module that puts the middleware before its controller. */
  function guarded({ receiver, reached }: Mounting, fails: () => boolean = () => false): Type {
    const controller = controllerOf((request: IncomingMessage) => {
      const event = bluumEvent(request);
      reached(event);
      if (fails()) throw new Error("no");
      return { booked: event.id };
    }, false);
    class AppModule implements NestModule {
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply(bluumWebhooks(receiver)).forRoutes(controller);
      }
    }
    Module({ controllers: [controller] })(AppModule);
    return AppModule;
  }

  for (const chunkBytes of [undefined, 7]) {
    it(`gets the bytes that rawBody: true keeps${chunkBytes ? ", the body in chunks" : ""}`, () =>
      expectTrueBytes(
        async (mounting) => serve(await NestFactory.create(guarded(mounting), { rawBody: true, logger: false })),
        chunkBytes === undefined ? {} : { chunkBytes },
      ));
  }

  it("an error of the controller fails the event, and the retry runs", async () => {
    const receiver = quietReceiver();
    let fails = true;
    let runs = 0;
    const reached = () => {
      runs += 1;
    };
    const module = guarded({ receiver, reached }, () => fails);
    const endpoint = await serve(await NestFactory.create(module, { rawBody: true, logger: false }));
    const delivery = signed();
    expect((await endpoint.send(delivery)).status).toBe(500);
    fails = false;
    expect((await endpoint.send(delivery)).status).toBe(201);
    expect((await endpoint.send(delivery)).body).toContain("duplicate");
    expect(runs).toBe(2);
    expectRefusal(await endpoint.send({ body: "{}" }), 401, "signature_missing");
    await endpoint.close();
  });
});
