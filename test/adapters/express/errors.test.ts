import type express from "express";
import type { RequestHandler } from "express";
import { describe, expect, it } from "vitest";
import { bluumErrors, bluumFailed, bluumWebhooks } from "../../../adapters/express.ts";
import type { DeliveryReport, Receiver } from "../../../src/index.ts";
import { quietReceiver } from "../contract/mounts.ts";
import { type Answer, PATH } from "../contract/sender.ts";
import { expectRefusal, signed, until } from "../contract/trial.ts";
import { expectNothingToEscape } from "../contract.ts";
import { serve, VERSIONS } from "./apps.ts";

expectNothingToEscape();

for (const [name, framework] of VERSIONS) {
  describe.concurrent(`${name}: errors of the app`, () => {
    interface Tried {
      readonly answers: Answer[];
      readonly reports: DeliveryReport[];
      readonly log: string[];
      /** The errors that the app's error middleware got. */
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

    /** Sends one delivery twice to an app with error middleware. */
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

    it("a handler behind bluumWebhooks, without bluumErrors: a 2xx of the error middleware counts as processed", async () => {
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
        it(`${form}: one that ${what} is answered 500, although the error middleware answers 200`, async () => {
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
        it(`${form}: an error middleware that answers by ${how} is overruled`, async () =>
          expectFailed(await twice(mount, throwing, answer)));
      }

      it(`${form}: an overruled res.end calls its callback`, async () => {
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

      it(`${form}: a 2xx that was sent before the error stands; the event is released and the log says so`, async () => {
        const tried = await twice(
          mount,
          (_req, res, next) => void res.status(200).write("partial", () => next(error)),
          (res) => res.end(),
        );
        expectFailed(tried, 200);
        const { eventId } = tried.reports[0] as DeliveryReport;
        expect(tried.log.join("\n")).toMatch(new RegExp(`${eventId}" failed, but 200 was answered.*replay`));
      });

      it(`${form}: one that answers 204 and then throws is processed`, async () => {
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
      ["'route', which Express takes for no error", "route"],
    ] as const) {
      it(`a handler given to bluumWebhooks that rejects with ${what} has failed, and the error middleware gets an error`, async () => {
        const tried = await twice(withHandler, () => Promise.reject(thrown));
        expectFailed(tried);
        expect(tried.errors).toEqual([expect.any(Error), expect.any(Error)]);
        expect((tried.errors[0] as Error).cause).toBe(thrown);
      });
    }

    for (const word of [undefined, "route"] as const) {
      it(`a handler given to bluumWebhooks that calls next(${word ?? ""}) is settled by the next handler`, async () => {
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

    it("an error fails the event of both receivers that accepted the request", async () => {
      const reports: DeliveryReport[] = [];
      const other = quietReceiver({ observe: (report) => reports.push(report) });
      const mount: Mount = (receiver, handler) =>
        framework.Router().post(PATH, bluumWebhooks(other), bluumWebhooks(receiver, handler)) as RequestHandler;
      expectFailed(await twice(mount, throwing));
      expect(reports.map(({ code }) => code)).toEqual(["handler_failed", "handler_failed"]);
    });

    it("bluumErrors gets the errors of routers and of mounted apps", async () => {
      const mount: Mount = (receiver, handler) => {
        const inner = framework().use(framework.Router().use(twoSteps(receiver, handler)));
        return framework.Router().use(inner, bluumErrors()) as RequestHandler;
      };
      expectFailed(await twice(mount, throwing));
    });

    it("bluumErrors passes on the errors of other requests", async () => {
      const app = framework().use(() => {
        throw error;
      }, bluumErrors());
      app.use(((thrown, _req, res, _next) => res.send(String(thrown))) as express.ErrorRequestHandler);
      const endpoint = await serve(app);
      expect(await endpoint.send({ method: "GET" })).toMatchObject({ status: 200, body: "Error: no" });
      await endpoint.close();
    });

    it("bluumFailed fails the event, awaited or not", async () => {
      const catching: RequestHandler = (req, res) => {
        void bluumFailed(req, error);
        res.json({ fine: true });
      };
      const { answers, reports, runs } = await twice(twoSteps, catching);
      for (const answer of answers) expectRefusal(answer, 500, "handler_failed");
      expect(reports.map((report) => report.error)).toEqual([error, error]);
      expect(runs).toBe(2);
    });

    it("a handler that is no function is refused at the mount", () => {
      expect(() => bluumWebhooks(quietReceiver(), {} as RequestHandler)).toThrow(
        expect.objectContaining({ code: "configuration_invalid" }),
      );
    });
  });
}
