import { pause, same } from "../checklist.mjs";
import { answerOf, delivery, SECRET } from "./mount.mjs";
import { tally } from "./storm.mjs";

/** Hono, which runs wherever Request and Response do: both of its styles. */
export function hono(check, doors, Hono) {
  const { createReceiver } = doors["."];
  const { bluumHandler, bluumWebhooks } = doors["./hono"];
  const send = async (app, sent) => answerOf(await app.request("/webhooks", sent));

  check("Hono, handler: genuine, duplicate and forged", async () => {
    const receiver = createReceiver({ secret: SECRET, logger: false }).on("order.*", () => {});
    await tryOut(new Hono().post("/webhooks", bluumHandler(receiver)));
  });

  check("Hono, middleware: genuine, duplicate and forged, and the body is left for the app", async () => {
    const sent = delivery(doors);
    const read = [];
    const app = new Hono().post("/webhooks", bluumWebhooks({ secret: SECRET, logger: false }), async (c) => {
      read.push((await c.req.text()) === sent.body);
      return c.json({ id: c.get("bluumEvent").id });
    });
    await tryOut(app, sent);
    same("read", read, [true]);
  });

  check("Hono, middleware: of 50 concurrent duplicates one is accepted", async () => {
    const app = new Hono().post("/webhooks", bluumWebhooks({ secret: SECRET, logger: false }), async (c) => {
      await pause(50);
      return c.json({});
    });
    const sent = delivery(doors);
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(app, sent)));
    same("answers", tally(answers), { 200: 1, "503 event_in_flight": 49 });
  });

  async function tryOut(app, sent = delivery(doors)) {
    same("genuine", await send(app, sent), "200");
    same("duplicate", await send(app, sent), "200 duplicate");
    const forged = { ...sent, body: sent.body.replace("178.50", "978.50") };
    same("forged", await send(app, forged), "401 signature_mismatch");
  }
}
