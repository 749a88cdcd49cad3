import { expect, test } from "@jest/globals";
import { createSandbox } from "bluum-webhooks/sandbox";
import { sampleEvent, signDelivery } from "bluum-webhooks/testing";
import request from "supertest";
import { makeApp } from "./app";

const secret = "a secret of 16 bytes or more";

test("a filled order is booked once", async () => {
  const booked: string[] = [];
  const app = makeApp({ secret, book: (id) => booked.push(id) });

  const event = sampleEvent("order.filled", { data: { id: "ord_1" } });
  const { headers, body } = signDelivery({ secret, event });
  await request(app).post("/webhooks/bluum").set(headers).send(body).expect(200);
  await request(app).post("/webhooks/bluum").set(headers).send(body).expect(200, { received: true, duplicate: true });
  await request(app).post("/webhooks/bluum").set(headers).send(body.replace("ord_1", "ord_2")).expect(401);
  expect(booked).toEqual(["ord_1"]);
});

test("the sandbox starts", async () => {
  const sandbox = await createSandbox();
  await sandbox.close();
});
