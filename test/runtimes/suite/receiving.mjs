import { same } from "../checklist.mjs";
import { bytes, delivery, mount, SECRET } from "./mount.mjs";

/** The receiver over fetch. */
export function receiving(check, doors) {
  const { signDelivery } = doors["./testing"];

  check("a genuine delivery is accepted, its event typed and its bytes kept", async () => {
    let seen;
    const { send, handled } = mount(doors, {}, (event, context) => {
      seen = { type: event.type, filledAt: event.data.average_price, bytes: context.rawBody.byteLength };
    });
    const sent = delivery(doors, { data: { average_price: "178.50", note: "é" } });
    same("answer", await send(sent), "200");
    same("seen", seen, { type: "order.filled", filledAt: "178.50", bytes: bytes(sent.body).byteLength });
    same("runs", handled.length, 1);
  });

  check("a duplicate is answered 200 and not handled again", async () => {
    const { send, handled } = mount(doors);
    const sent = delivery(doors);
    same("answers", [await send(sent), await send(sent)], ["200", "200 duplicate"]);
    same("runs", handled.length, 1);
  });

  check("a forged delivery is refused", async () => {
    const { send, handled } = mount(doors);
    const sent = delivery(doors);
    const forged = { ...sent, body: sent.body.replace("178.50", "978.50") };
    same("forged body", await send(forged), "401 signature_mismatch");
    same(
      "foreign secret",
      await send(delivery(doors, { secret: "another-secret-of-some-length" })),
      "401 signature_mismatch",
    );
    same("runs", handled.length, 0);
  });

  check("an unsigned delivery and a malformed signature are refused", async () => {
    const { send } = mount(doors);
    const sent = delivery(doors);
    same("unsigned", await send({ ...sent, headers: {} }), "401 signature_missing");
    for (const signature of ["", "zz", "sha256=", "é".repeat(32), "0".repeat(63)]) {
      const headers = { "x-bluum-signature": signature };
      same(signature, await send({ ...sent, headers }), "401 signature_malformed");
    }
  });

  check("signed junk is refused by what it is", async () => {
    const { send } = mount(doors);
    const signed = (event) => signDelivery({ secret: SECRET, event });
    same("not JSON", await send(signed("{")), "400 payload_not_json");
    same("no event", await send(signed("[]")), "400 payload_not_event");
    same("empty", await send(signed("")), "400 payload_not_json");
    same("not UTF-8", await send(signed(Uint8Array.of(0x7b, 0xff, 0x7d))), "400 payload_not_utf8");
  });

  check("a ping is answered, and not handled", async () => {
    const { send, handled } = mount(doors);
    same("answer", await send(delivery(doors, { type: "bluum-webhooks.ping" })), "200 ping");
    same("runs", handled.length, 0);
  });

  check("another method and an encoded body are refused", async () => {
    const { send } = mount(doors);
    const sent = delivery(doors);
    same("GET", await send({ method: "GET", headers: {} }), "405 method_not_allowed");
    const headers = { ...sent.headers, "content-encoding": "gzip" };
    same("gzip", await send({ ...sent, headers }), "415 content_encoding_unsupported");
  });

  check("each secret of a rotation verifies, fixed or fetched", async () => {
    const secrets = [SECRET, "the-secret-of-yesterday"];
    for (const secret of [secrets, async () => secrets]) {
      const { send } = mount(doors, { secret });
      for (const one of secrets) same("answer", await send(delivery(doors, { secret: one })), "200");
    }
  });

  check("events are told apart by an id, or by the hash of their bytes", async () => {
    const { send, handled } = mount(doors);
    const byId = signDelivery({ secret: SECRET, event: { id: "evt_1", event: "order.filled", data: {} } });
    same("by id", [await send(byId), await send(byId)], ["200", "200 duplicate"]);
    const byHash = signDelivery({ secret: SECRET, event: { event: "order.filled", data: { id: "ord_1" } } });
    same("by hash", [await send(byHash), await send(byHash)], ["200", "200 duplicate"]);
    same("ids", handled, ["evt_1", "sha256:793c100e1aac24c6e99c4b575fe78dd00a067e6df4ac0fd85abfe399f864da93"]);
  });

  check("a handler that throws has its event retried", async () => {
    let runs = 0;
    const { send } = mount(doors, {}, () => {
      runs += 1;
      if (runs === 1) throw new Error("on purpose");
    });
    const sent = delivery(doors);
    same("answers", [await send(sent), await send(sent)], ["500 handler_failed", "200"]);
  });
}
