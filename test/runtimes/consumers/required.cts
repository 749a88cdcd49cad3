// A CommonJS program.
import bluum = require("bluum-webhooks");
import door = require("bluum-webhooks/fetch");
import testing = require("bluum-webhooks/testing");

const secret = "a-secret-for-the-consumers";
const receiver = bluum.createReceiver({ secret }).on("order.filled", (event) => event.data.average_price);
export const handler: (request: Request) => Promise<Response> = door.bluumHandler(receiver);
export const body: string = testing.signDelivery({ secret, event: testing.sampleEvent("order.filled") }).body;
