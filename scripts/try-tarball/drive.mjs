// Drives an app that listens at `url`: fresh, duplicate, forged, unsigned.
import assert from "node:assert/strict";
import { sampleEvent, signDelivery } from "bluum-webhooks/testing";

export const secret = "a-secret-for-trying-out";

export async function drive(url, seen) {
  for (const path of ["/middleware", "/handlers"]) {
    const delivery = signDelivery({ secret, event: sampleEvent("order.filled") });
    const post = (init) => fetch(url + path, { ...delivery, ...init }).then((response) => response.status);
    const before = seen.length;
    assert.ok([200, 204].includes(await post()), `${path}: a genuine delivery is accepted`);
    assert.equal(await post(), 200, `${path}: a duplicate is answered 200`);
    assert.equal(seen.length, before + 1, `${path}: it ran once`);
    assert.equal(seen.at(-1), "order.filled");
    assert.equal(
      await post({ body: delivery.body.replace("178.50", "978.50") }),
      401,
      `${path}: a forged one is refused`,
    );
    assert.equal(
      await post({ headers: { "content-type": "application/json" } }),
      401,
      `${path}: an unsigned one is refused`,
    );
    assert.equal(seen.length, before + 1);
  }
}
