import express from "express";
import request from "supertest";
import { describe, it } from "vitest";
import { bluumEvent, bluumWebhooks } from "../../adapters/express.ts";
import { createReceiver } from "../../src/index.ts";
import { sampleEvent, signDelivery } from "../../src/testing/index.ts";

const secret = "a-secret-for-supertest";

function app() {
  const receiver = createReceiver({ secret, logger: false });
  return express().post("/webhooks/bluum", bluumWebhooks(receiver), (req, res) => {
    res.status(202).json({ booked: bluumEvent(req).type });
  });
}

describe("signed deliveries with supertest", () => {
  it("reach the app as text, as the README shows", async () => {
    const { headers, body } = signDelivery({ secret, event: sampleEvent("transfer.deposit.completed") });
    const server = app();
    await request(server)
      .post("/webhooks/bluum")
      .set(headers)
      .send(body)
      .expect(202, { booked: "transfer.deposit.completed" });
    await request(server)
      .post("/webhooks/bluum")
      .set(headers)
      .send(body)
      .expect(200, { received: true, duplicate: true });
  });

  it("reach the app as bytes if supertest does not serialise them", async () => {
    const event = new TextEncoder().encode(JSON.stringify(sampleEvent("order.filled")));
    const { headers, body } = signDelivery({ secret, event });
    const asIs = (bytes: unknown) => bytes as string;
    await request(app()).post("/webhooks/bluum").set(headers).serialize(asIs).send(Buffer.from(body)).expect(202);
  });

  it("are refused if a byte is changed", async () => {
    const { headers, body } = signDelivery({ secret, event: sampleEvent("order.filled") });
    await request(app())
      .post("/webhooks/bluum")
      .set(headers)
      .send(`${body} `)
      .expect(401, { error: { code: "signature_mismatch" } });
  });
});
