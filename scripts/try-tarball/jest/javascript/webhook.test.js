import { expect, test } from "@jest/globals";
import { sampleEvent, signDelivery } from "bluum-webhooks/testing";
import request from "supertest";
import { makeApp } from "./app.js";

const secret = "a secret of 16 bytes or more";

test("a filled order is booked once", async () => {
  const booked = [];
  const app = makeApp({ secret, book: (id) => booked.push(id) });

  const event = sampleEvent("order.filled", { data: { id: "ord_1" } });
  const { headers, body } = signDelivery({ secret, event });
  await request(app).post("/webhooks/bluum").set(headers).send(body).expect(200);
  await request(app).post("/webhooks/bluum").set(headers).send(body).expect(200, { received: true, duplicate: true });
  expect(booked).toEqual(["ord_1"]);
});
