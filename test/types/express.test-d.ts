import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response } from "express";
import { bluumErrors, bluumEvent, bluumFailed, bluumHandler, bluumWebhooks } from "../../adapters/express.ts";
import type { BluumEvent, BluumOrder, DeliveryContext, Receiver } from "../../src/index.ts";
import { type Equal, expectType, use } from "./equal.ts";

declare const receiver: Receiver;

const app = express();
const router = express.Router();

// Both are handlers for Express, on an app and on a router, alone and among others.
app.use("/webhooks", bluumWebhooks(receiver));
router.post("/bluum", bluumHandler(receiver));
router.use(bluumWebhooks({ secret: "", maxBodyBytes: 1 }), express.json());
const middleware: RequestHandler = bluumWebhooks(receiver);
use(middleware);

app.post("/webhooks/bluum", bluumWebhooks(receiver), async (req, res) => {
  // Express knows what stands on its request, and that it is not there on every route.
  expectType<Equal<typeof req.bluumEvent, BluumEvent | undefined>>();
  expectType<Equal<typeof req.bluumDelivery, DeliveryContext | undefined>>();
  // @ts-expect-error it may be missing
  use(req.bluumEvent.type);

  const event = bluumEvent(req);
  expectType<Equal<typeof event, BluumEvent>>();
  if (event.type === "order.filled") expectType<Equal<typeof event.data, BluumOrder>>();
  // @ts-expect-error misspelt
  if (event.type === "order.filld") use(event);
  res.sendStatus(204);
});

// Other parameters of the request change nothing.
app.post("/:tenant", bluumWebhooks(receiver), (req, res) => {
  use(req.params.tenant, bluumEvent(req));
  res.end();
});
function typed(req: Request<{ tenant: string }, string, { a: number }>): BluumEvent {
  return bluumEvent(req);
}
use(typed);

// A handler that is given to the middleware knows that its request has an event, and is an ordinary one otherwise.
app.post(
  "/webhooks/bluum",
  bluumWebhooks(receiver, async (req, res, next) => {
    expectType<Equal<typeof req.bluumEvent.type, BluumEvent["type"]>>();
    if (req.bluumEvent.type === "order.filled") expectType<Equal<typeof req.bluumEvent.data, BluumOrder>>();
    expectType<Equal<typeof req.bluumDelivery.eventId, string>>();
    use(req.params.tenant, req.get("x-request-id"), bluumEvent(req));
    // @ts-expect-error no such method
    res.sendStatuss(204);
    res.status(204).end();
    next();
    next("route");
  }),
);
router.post(
  "/bluum",
  express.json(),
  bluumWebhooks({ secret: "" }, (_req, res) => res.sendStatus(204)),
  (_req, res) => {
    res.end();
  },
);
const withHandler: RequestHandler = bluumWebhooks(receiver, (_req, res) => res.sendStatus(204));
const existing: RequestHandler = (_req, res) => void res.end();
app.use(withHandler, bluumWebhooks(receiver, existing));
function ofTenant(req: Request<{ tenant: string }>, res: Response<string>): void {
  res.send(req.params.tenant);
}
app.post("/:tenant", bluumWebhooks(receiver, ofTenant));
// @ts-expect-error no handler
bluumWebhooks(receiver, { secret: "" });

// Error middleware, and the function for code that answers errors by itself.
app.use(bluumErrors());
router.use("/webhooks", bluumErrors());
const errors: ErrorRequestHandler = bluumErrors();
app.use(((error, req, _res, next) => void bluumFailed(req, error).then(() => next(error))) as ErrorRequestHandler);
use(errors);

// @ts-expect-error the handler needs a receiver that has handlers
bluumHandler({ secret: "" });
// @ts-expect-error no such option
bluumWebhooks({ secret: "", maxBodySize: 1 });
