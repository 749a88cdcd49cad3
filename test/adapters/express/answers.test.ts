import { setTimeout as sleep } from "node:timers/promises";
import type express from "express";
import type { RequestHandler } from "express";
import { describe, expect, it } from "vitest";
import { bluumEvent, bluumWebhooks } from "../../../adapters/express.ts";
import { toDelivery } from "../../../adapters/node.ts";
import type { Delivery, DeliveryReport, Outcome, Receiver } from "../../../src/index.ts";
import { quietReceiver } from "../contract/mounts.ts";
import { type Endpoint, PATH, RawSender } from "../contract/sender.ts";
import { expectRefusal, isSuccess, signed, until } from "../contract/trial.ts";
import { expectNothingToEscape } from "../contract.ts";
import { serve, VERSIONS } from "./apps.ts";

expectNothingToEscape();

for (const [name, framework] of VERSIONS) {
  describe.concurrent(`${name}: when the app's answer counts`, () => {
    /** Runs a case against an app with one route. */
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
    /** Sends a delivery until it is accepted; returns all statuses. */
    async function retried(endpoint: Endpoint, delivery: ReturnType<typeof signed>): Promise<number[]> {
      const statuses: number[] = [];
      for (let status = 0; status !== 204; statuses.push(status)) {
        ({ status } = await endpoint.send(delivery));
        await sleep(20);
      }
      return statuses;
    }

    it("after a partial write and next(err) the event is claimed until maxProcessingMs, and then the retry runs", () =>
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

    it("the first of two calls of res.end counts", () =>
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

    it("a call of res.end that throws does not count", () =>
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

    it("after next('route') the next route's status counts, or the 404", async () => {
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
      it(`a handler that throws ${what} is not answered 2xx`, () =>
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
      it(`if the sender disconnects before the app ${what}, the event is ${succeeds ? "processed" : "failed"}`, () => {
        return answering(
          async ({ endpoint, reports, runs }) => {
            const delivery = signed();
            const sender = new RawSender(endpoint.port);
            await sender.request(delivery);
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

    it("if the sender disconnects and the app never answers, the event is claimed until maxProcessingMs", () =>
      answering(
        async ({ endpoint, reports, runs }) => {
          const delivery = signed();
          const sender = new RawSender(endpoint.port);
          await sender.request(delivery);
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
      it("a handler that rejects is never answered and not processed: the retry runs", () =>
        answering(
          async ({ endpoint, reports, runs }) => {
            const delivery = signed();
            const sender = new RawSender(endpoint.port);
            await sender.request(delivery);
            await until(() => runs() === 1, "the app");
            expectRefusal(await endpoint.send(delivery), 503, "event_in_flight");
            expect(new Set(await retried(endpoint, delivery))).toEqual(new Set([503, 204]));
            sender.destroy();
            expect(reports.some(({ code }) => code === "handler_timeout")).toBe(true);
            expect(runs()).toBe(2);
          },
          onFirst(() => {
            const work = Promise.reject(new Error("no"));
            // Like an app that handles unhandled rejections. Otherwise Node ends the process, and the claim expires.
            work.catch(() => {});
            return work;
          }),
        ));

    it("a sender that disconnects before the body is read is reported as body_incomplete", async () => {
      const reports: DeliveryReport[] = [];
      const receiver = quietReceiver({ observe: (report) => reports.push(report) });
      const untilGone: RequestHandler = (req, _res, next) => void req.once("close", () => next());
      const endpoint = await serve(framework().post(PATH, untilGone, bluumWebhooks(receiver)));
      const delivery = signed();
      const sender = new RawSender(endpoint.port);
      await sender.request(delivery);
      sender.destroy();
      await until(() => reports.length === 1, "the report");
      expect(reports[0]).toMatchObject({ code: "body_incomplete" });
      await endpoint.close();
    });

    it("the event that a mounted app attached is still attached in the app around it", async () => {
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

    it("other requests of the app have nothing attached", async () => {
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

    it("the attached fields are added to the request, and nothing is removed", async () => {
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
      // One of the receiver and one of the adapter.
      expect(added.filter((name) => typeof name === "symbol")).toEqual([expect.any(Symbol), expect.any(Symbol)]);
      await endpoint.close();
    });

    it("an accessor named rawBody on the app is not changed", async () => {
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

    it("an error while attaching fails the event, and the retry runs", async () => {
      const app = framework();
      let sealed = false;
      const seal = () => {
        sealed = true;
        throw new Error("no");
      };
      app.post(PATH, (req, _res, next) => {
        if (!sealed) Object.defineProperty(req, "bluumEvent", { set: seal });
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

    it("a second receiver does not replace the event that the first attached", async () => {
      const audit = quietReceiver({ eventId: () => "audit" }).on("*", () => {});
      const seen: unknown[] = [];
      const app = framework().post(PATH, bluumWebhooks(quietReceiver()), async (req, res) => {
        const [event, delivery] = [bluumEvent(req), req.bluumDelivery];
        const { status } = await audit.handle(toDelivery(req));
        seen.push(bluumEvent(req) === event, req.bluumDelivery === delivery, event.id === "audit");
        res.sendStatus(status);
      });
      const endpoint = await serve(app);
      expect((await endpoint.send(signed())).status).toBe(200);
      expect(seen).toEqual([true, true, false]);
      await endpoint.close();
    });

    it("the event of a wrapped receiver is attached", async () => {
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
