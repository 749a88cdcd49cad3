import express, { type Request, type RequestHandler } from "express";
import { bluumEvent, bluumHandler, bluumWebhooks } from "../../adapters/express.ts";
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

// @ts-expect-error the handler needs a receiver that has handlers
bluumHandler({ secret: "" });
// @ts-expect-error no such option
bluumWebhooks({ secret: "", maxBodySize: 1 });
