import { pause, same, until } from "../checklist.mjs";
import { bytes, delivery, mount } from "./mount.mjs";

const LIMIT_BYTES = 2_000;
const TIMEOUT_MS = 200;

/** Bodies that come in pieces, late, never, or in too great a number. */
export function bodies(check, doors) {
  const limited = (options = {}) => mount(doors, { maxBodyBytes: LIMIT_BYTES, bodyTimeoutMs: TIMEOUT_MS, ...options });
  /** A genuine delivery's headers over a body of one's own making. */
  const withBody = (pull, headers = {}) => {
    const seen = { cancelled: false };
    const cancel = () => {
      seen.cancelled = true;
    };
    const sent = delivery(doors);
    const body = new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
    return { sent: { ...sent, headers: { ...sent.headers, ...headers }, body }, seen };
  };

  check("a body in pieces is one body", async () => {
    const { send } = limited({ bodyTimeoutMs: 10_000 });
    const sent = delivery(doors);
    const pieces = bytes(sent.body);
    let at = 0;
    const { sent: inPieces } = withBody(async (controller) => {
      if (at >= pieces.length) return controller.close();
      await pause(0);
      controller.enqueue(pieces.subarray(at, at + 100));
      at += 100;
    });
    same("answer", await send({ ...inPieces, headers: sent.headers }), "200");
  });

  check("a body that never ends is body_timeout, and is let go of", async () => {
    const { sent, seen } = withBody(() => new Promise(() => {}));
    same("answer", await limited().send(sent), "408 body_timeout");
    await until("the end of the stream", () => seen.cancelled);
  });

  check("a body that trickles is body_timeout, too", async () => {
    const { sent } = withBody(async (controller) => {
      await pause(20);
      controller.enqueue(bytes("x"));
    });
    same("answer", await limited().send(sent), "408 body_timeout");
  });

  check("a body that errors is body_incomplete", async () => {
    const { sent } = withBody((controller) => controller.error(new Error("reset")));
    same("answer", await limited().send(sent), "408 body_incomplete");
  });

  check("a body that errors half-way is body_incomplete", async () => {
    let pulls = 0;
    const { sent } = withBody((controller) => {
      pulls += 1;
      if (pulls === 1) controller.enqueue(bytes("{"));
      else controller.error(new Error("reset"));
    });
    same("answer", await limited().send(sent), "408 body_incomplete");
  });

  check("an endless body is body_too_large at the limit, and is let go of", async () => {
    const { sent, seen } = withBody((controller) => controller.enqueue(new Uint8Array(100)));
    same("answer", await limited().send(sent), "413 body_too_large");
    await until("the end of the stream", () => seen.cancelled);
  });

  check("a Content-Length over the limit is body_too_large without a look at the body", async () => {
    let pulls = 0;
    const { sent } = withBody(
      () => {
        pulls += 1;
      },
      { "content-length": String(LIMIT_BYTES + 1) },
    );
    same("answer", await limited().send(sent), "413 body_too_large");
    same("pulls", pulls, 0);
  });

  check("a body of exactly the limit is taken, and one byte more is not", async () => {
    const { signDelivery } = doors["./testing"];
    const event = { id: "evt_limit", event: "order.filled", data: { note: "" } };
    event.data.note = "x".repeat(LIMIT_BYTES - JSON.stringify(event).length);
    const sign = () => signDelivery({ secret: "a-secret-for-the-runtimes", event });
    same("at the limit", await limited().send(sign()), "200");
    event.data.note += "x";
    same("over it", await limited().send(sign()), "413 body_too_large");
  });

  check("a body that was read is body_already_parsed", async () => {
    const { bluumHandler } = doors["./fetch"];
    const { receiver } = limited();
    const { method, headers, body } = delivery(doors);
    const request = new Request("http://localhost/", { method, headers, body });
    await request.text();
    same("status", (await bluumHandler(receiver)(request)).status, 500);
  });
}
