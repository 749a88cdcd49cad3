// The checks that every runtime passes from outside, by real requests.
import { connect } from "node:net";
import { LEASE_MS, LIMIT_BYTES } from "./app.mjs";
import { checkList, pause, same, until } from "./checklist.mjs";
import { answerOf, bytes, delivery, SECRET } from "./suite/mount.mjs";
import { tally } from "./suite/storm.mjs";

/**
 * Runs every check against a host.
 *
 * @param doors the package's doors, for signing
 * @param port where the host listens, on the loopback interface
 * @param door the door that the host mounted there
 */
export function driveOverHttp(doors, port, door) {
  const { check, run } = checkList();
  const url = `http://127.0.0.1:${port}`;
  const send = async (path, { method, headers, body }) =>
    answerOf(await fetch(url + path, { method, headers, body, duplex: "half" }));
  const seen = async () => (await fetch(`${url}/seen`)).json();
  const idOf = ({ body }) => JSON.parse(body).id;
  const event = (data, options = {}) => {
    const { sampleEvent, signDelivery } = doors["./testing"];
    const id = `evt_${crypto.randomUUID()}`;
    return signDelivery({ secret: SECRET, event: sampleEvent("order.filled", { id, data }), ...options });
  };
  const runsOf = async (sent) => (await seen()).handled.filter((id) => id === idOf(sent)).length;
  const named = (name, run) => check(`over HTTP, ${door}: ${name}`, run);

  named("genuine, duplicate, forged, unsigned, malformed, ping and GET", async () => {
    const sent = event({ note: "é" });
    same("genuine", await send("/webhooks", sent), "200");
    same("duplicate", await send("/webhooks", sent), "200 duplicate");
    const forged = { ...sent, body: sent.body.replace("178.50", "978.50") };
    same("forged", await send("/webhooks", forged), "401 signature_mismatch");
    same("unsigned", await send("/webhooks", { ...sent, headers: {} }), "401 signature_missing");
    const malformed = { ...sent, headers: { "x-bluum-signature": "zz" } };
    same("malformed", await send("/webhooks", malformed), "401 signature_malformed");
    same("ping", await send("/webhooks", delivery(doors, { type: "bluum-webhooks.ping" })), "200 ping");
    same("GET", await send("/webhooks", { method: "GET" }), "405 method_not_allowed");
    same("runs", await runsOf(sent), 1);
  });

  for (const path of ["/webhooks", "/shared-store"]) {
    named(`of 50 duplicates at once one is accepted, on ${path}`, async () => {
      const sent = event({ hold_ms: 500 });
      const answers = await Promise.all(Array.from({ length: 50 }, () => send(path, sent)));
      // A connection that came late finds the event done.
      const { 200: accepted } = tally(answers);
      const others = answers.filter((answer) => answer === "503 event_in_flight" || answer === "200 duplicate");
      same("answers", [accepted, others.length], [1, 49]);
      same("runs", await runsOf(sent), 1);
    });
  }

  named("a large body is accepted, in one piece or in chunks", async () => {
    const sent = event({ note: "é".repeat(40_000) });
    same("in chunks", await send("/webhooks", { ...sent, body: chunked(sent.body) }), "200");
    same("in one piece", await send("/webhooks", sent), "200 duplicate");
  });

  named("a body over the limit is body_too_large, by its length and by its stream", async () => {
    const sent = event({ note: "x".repeat(LIMIT_BYTES) });
    same("by length", await send("/webhooks", sent), "413 body_too_large");
    same("by stream", await send("/webhooks", { ...sent, body: chunked(sent.body) }), "413 body_too_large");
  });

  named("a body that never ends is body_timeout", async () => {
    const sender = sendHalf(port, "/webhooks", event({}));
    same("answer", await sender.status(), 408);
    sender.leave();
  });

  named("a sender that leaves half-way does no harm", async () => {
    const sent = event({});
    for (let times = 0; times < 5; times++) {
      const sender = sendHalf(port, "/webhooks", sent);
      await pause(50);
      sender.leave();
    }
    same("the same event afterwards", await send("/webhooks", sent), "200");
    same("runs", await runsOf(sent), 1);
  });

  for (const path of ["/webhooks", "/shared-store"]) {
    named(`a claim is renewed beside the timers of other requests, on ${path}`, async () => {
      same("an earlier request", await send(path, event({})), "200");
      const sent = event({ hold_ms: 2.5 * LEASE_MS });
      const answer = send(path, sent);
      await pause(LEASE_MS / 2);
      same("a request in between", await send(path, event({})), "200");
      await pause(LEASE_MS);
      same("a duplicate after the first lease", await send(path, sent), "503 event_in_flight");
      same("the answer", await answer, "200");
      same("a duplicate afterwards", await send(path, sent), "200 duplicate");
      same("runs", await runsOf(sent), 1);
    });

    named(`an event whose sender left while it was processed is not lost, on ${path}`, async () => {
      const sent = event({ hold_ms: 2_000 });
      const leaving = new AbortController();
      const left = fetch(url + path, { ...sent, signal: leaving.signal }).catch(() => "left");
      await until("the handler's start", async () => (await runsOf(sent)) === 1);
      leaving.abort();
      same("the sender", await left, "left");
      // If the runtime ends the handler with its request, the claim expires and the retry runs it again.
      let answer;
      await until("a retry that ends well", async () => {
        answer = await send(path, sent);
        return answer.startsWith("200");
      });
      const { finished } = await seen();
      same("times that the handler came to its end", finished.filter((id) => id === idOf(sent)).length, 1);
    });
  }

  named("work beyond maxProcessingMs is handler_timeout, for each of two requests", async () => {
    const answers = [event({ hold_ms: 2_500 }), event({ hold_ms: 2_500 })].map((sent) => send("/one-second", sent));
    same("answers", await Promise.all(answers), ["503 handler_timeout", "503 handler_timeout"]);
  });

  named("a sender that leaves while the secret is fetched does no harm", async () => {
    const leaving = new AbortController();
    const left = fetch(`${url}/fetched-secret`, { ...event({}), signal: leaving.signal }).catch(() => "left");
    await pause(300);
    const waiting = send("/fetched-secret", event({}));
    await pause(100);
    leaving.abort();
    same("the sender", await left, "left");
    same("who waited with it", await waiting, "200");
    same("who came later", await send("/fetched-secret", event({})), "200");
  });

  return run();
}

/** A body without a Content-Length. */
function chunked(text) {
  const whole = bytes(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= whole.length) return controller.close();
      controller.enqueue(whole.subarray(at, at + 10_000));
      at += 10_000;
    },
  });
}

/** A sender that promises a body, sends half of it, and waits. */
function sendHalf(port, path, { headers, body }) {
  const whole = bytes(body);
  const lines = Object.entries({ host: "localhost", ...headers, "content-length": whole.length });
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
  socket.write(whole.subarray(0, whole.length / 2));
  return {
    leave: () => socket.destroy(),
    status: () =>
      new Promise((resolve, reject) => {
        socket.once("data", (data) => resolve(Number(String(data).split(" ")[1])));
        socket.once("close", () => reject(new Error("the connection was closed without an answer")));
      }),
  };
}
