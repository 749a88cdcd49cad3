import { once } from "node:events";
import { request, type ServerResponse } from "node:http";
import { createServer } from "node:net";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { endToEnd, withHeader } from "../../src/cli/listen/headers.ts";
import { sampleEvent, signDelivery } from "../../src/testing/index.ts";
import { listening, receiving, sent, served } from "./app.ts";
import { ran, SECRET } from "./fake-terminal.ts";

const genuine = () => signDelivery({ secret: SECRET, event: sampleEvent("order.filled") });

describe("listen --forward", () => {
  it("forwards bytes and headers unchanged, except for headers of the connection", async () => {
    const seen: { url: string | undefined; rawHeaders: string[] }[] = [];
    const app = await served(({ url, rawHeaders }, response) => {
      seen.push({ url, rawHeaders });
      response.end();
    });
    const { url } = await listening(["--forward", `${app}?own=1`, "--allow-host", "tunnel.example.com"]);
    const bytes = Buffer.from([0x7b, 0xff, 0x00, 0x7d]);
    const rawHeaders = [
      "Host",
      "tunnel.example.com",
      "X-Twice",
      "one",
      "x-TWICE",
      "two",
      "Connection",
      "close, X-Of-This-Hop",
      "X-Of-This-Hop",
      "gone",
      "TE",
      "trailers",
      "X-Bluum-Signature",
      "00",
      "Content-Length",
      "4",
      "Accept",
      "*/*",
    ];
    await sent(`${url}?b='2'&c`, rawHeaders, bytes);
    expect(seen[0]?.url).toBe("/webhooks/bluum?own=1&b='2'&c");
    expect(seen[0]?.rawHeaders.slice(0, 12)).toEqual([
      "Host",
      new URL(app).host,
      "X-Twice",
      "one",
      "x-TWICE",
      "two",
      "X-Bluum-Signature",
      "00",
      "Content-Length",
      "4",
      "Accept",
      "*/*",
    ]);
  });

  it("forwards every byte of a body", async () => {
    const bodies: Buffer[] = [];
    const app = await served(async (request, response) => {
      bodies.push(Buffer.concat(await request.toArray()));
      response.end();
    });
    const { url } = await listening(["--forward", app]);
    const all = Uint8Array.from({ length: 70_000 }, (_, place) => place % 256);
    await sent(url, ["Host", "localhost", "Transfer-Encoding", "chunked"], all);
    expect(bodies[0]?.equals(all)).toBe(true);
  });

  it.each(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])(
    "does not forward %s, and answers it as a receiver does",
    async (method) => {
      const seen: unknown[] = [];
      const app = await served((request, response) => {
        seen.push(request);
        response.end();
      });
      const { url } = await listening(["--forward", app]);
      const { answer } = await sent(url, ["Host", "localhost"], "", method);
      expect([answer.statusCode, answer.headers.allow, seen]).toEqual([405, "POST", []]);
    },
  );

  it("keeps the path if the app's URL has none", async () => {
    const seen: unknown[] = [];
    const app = await served(({ url }, response) => {
      seen.push(url);
      response.end();
    });
    for (const forward of [new URL(app).origin, `${new URL(app).origin}?own=1`]) {
      const { url } = await listening(["--forward", forward, "--path", "/a/b'%20c"]);
      await sent(`${new URL(url).origin}/a/b'%20c?d`, ["Host", "localhost"], "{}");
    }
    expect(seen).toEqual(["/a/b'%20c?d", "/a/b'%20c?own=1&d"]);
  });

  it("relays the app's answer unchanged", async () => {
    const app = await served((_, response) => {
      response.sendDate = false;
      response.writeHead(418, "Short and stout", [
        "Set-Cookie",
        "a=1",
        "X-Odd",
        "é",
        "set-cookie",
        "b=2",
        "Content-Length",
        "3",
      ]);
      response.end(Buffer.from([0x00, 0xff, 0x0a]));
    });
    const { terminal, url } = await listening(["--forward", app]);
    const { headers, body } = genuine();
    const { answer, text } = await sent(url, ["Host", "localhost", ...Object.entries(headers).flat()], body);
    expect([answer.statusCode, answer.statusMessage, text]).toEqual([418, "Short and stout", "\u0000\u00ff\n"]);
    expect(answer.rawHeaders.slice(0, 8)).toEqual([
      "Set-Cookie",
      "a=1",
      "X-Odd",
      "é",
      "set-cookie",
      "b=2",
      "Content-Length",
      "3",
    ]);
    expect(answer.headers.date).toBeUndefined();
    await terminal.until(/accepted +418/);
  });

  it("settles by the app's answer, and recognises a retry after a success", async () => {
    let status = 500;
    const app = await served((_, response) => response.writeHead(status).end());
    const { terminal, url } = await listening(["--forward", app, "--json"]);
    const delivery = genuine();
    expect((await fetch(url, delivery)).status).toBe(500);
    status = 200;
    expect((await fetch(url, delivery)).status).toBe(200);
    expect((await fetch(url, delivery)).status).toBe(200);
    await terminal.until(/duplicate/);
    const verdicts = [...terminal.out().matchAll(/"verdict":"(\w+)".*?"status":(\d+)/g)].map(([, verdict, code]) => [
      verdict,
      code,
    ]);
    expect(verdicts).toEqual([
      ["accepted", "500"],
      ["accepted", "200"],
      ["duplicate", "200"],
    ]);
  });

  it("prints an event as unhandled if the app does, and its copy too", async () => {
    const app = await served((_, response) => response.end('{"received":true,"unhandled":true}'));
    const { terminal, url } = await listening(["--forward", app]);
    const delivery = genuine();
    for (let sends = 0; sends < 2; sends += 1) {
      expect(await (await fetch(url, delivery)).json()).toEqual({ received: true, unhandled: true });
    }
    await terminal.until(/(.*order\.filled +sha256:\w+… +unhandled +200.*\n){2}/);
    const json = await listening(["--forward", app, "--json"]);
    await fetch(json.url, delivery);
    await json.terminal.until(/"verdict":"accepted".*"unhandled":true.*\n/);
  });

  it("does not print compressed, long or refused answers as unhandled", async () => {
    const body = '{"received":true,"unhandled":true}';
    const answers: [number, Record<string, string>, string | Uint8Array][] = [
      [200, { "content-encoding": "gzip" }, gzipSync(body)],
      [200, {}, " ".repeat(5_000) + body],
      [500, {}, body],
    ];
    const app = await served((_, response) => {
      const [status, headers, text] = answers.shift() ?? [200, {}, ""];
      response.writeHead(status, headers).end(text);
    });
    const { terminal, url } = await listening(["--forward", app]);
    for (const status of [200, 200, 500]) {
      const event = sampleEvent("order.filled", { data: { id: `ord_${answers.length}` } });
      expect((await fetch(url, signDelivery({ secret: SECRET, event }))).status).toBe(status);
    }
    await terminal.until(/(.*accepted +\d+.*\n){3}/);
  });

  it("is a sound mount for verify", async () => {
    const { url } = await listening(["--forward", await receiving()]);
    expect(await ran(["verify", url])).toMatchObject({ code: 0, err: "" });
  });

  it("reports an app that acknowledges a forgery", async () => {
    const { terminal, url } = await listening(["--forward", await served((_, response) => response.end("ok"))]);
    expect((await fetch(url, { method: "POST", body: "{}" })).status).toBe(200);
    await terminal.until(/the app acknowledged it nevertheless/);
  });

  it("answers 502 if the app is down, and prints the reason", async () => {
    const { terminal, url } = await listening(["--forward", "http://127.0.0.1:9/"]);
    const answer = await fetch(url, genuine());
    expect([answer.status, await answer.json()]).toEqual([502, { error: { code: "forward_failed" } }]);
    await terminal.until(/the app did not answer: ECONNREFUSED/);
  });

  it("closes the connection if the app's answer is incomplete", async () => {
    const app = await served((_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => response.destroy());
    });
    const { terminal, url } = await listening(["--forward", app]);
    await expect(fetch(url, genuine()).then((answer) => answer.text())).rejects.toThrow();
    await terminal.until(/the app's answer is incomplete/);
  });

  it("answers 502 if the app does not speak HTTP", async () => {
    const server = createServer((socket) => void socket.end("SSH-2.0-OpenSSH\r\n")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { url } = await listening(["--forward", `http://127.0.0.1:${(server.address() as { port: number }).port}/`]);
    expect((await fetch(url, genuine())).status).toBe(502);
    server.close();
  });

  it("answers 502 at once if the app changes to another protocol", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const app = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
    const { terminal, url } = await listening(["--forward", app]);
    expect((await fetch(url, genuine())).status).toBe(502);
    await terminal.until(/the app did not answer: it changed to another protocol \(101\)/);
    server.close();
  });

  it.each([
    [200, "duplicate"],
    [500, "accepted"],
  ])("settles by the app's status %i if the sender leaves", async (status, verdictOfRetry) => {
    const held: ServerResponse[] = [];
    const app = await served((_, response) => {
      if (held.push(response) > 1) response.writeHead(status).end();
    });
    const { terminal, url } = await listening(["--forward", app, "--json"]);
    const delivery = genuine();
    const leaving = request(url, { method: "POST", headers: delivery.headers }).on("error", () => {});
    leaving.end(delivery.body);
    await vi.waitFor(() => expect(held).toHaveLength(1));
    const closed = new Promise((resolve) => leaving.once("close", resolve));
    leaving.destroy();
    await closed;
    // When another request is answered, the server has noticed that this sender left.
    await fetch(new URL("/elsewhere", url));
    held[0]?.writeHead(status).end("{}");
    await terminal.until(new RegExp(`"status":${status},.*"trouble":"the sender left before the answer"`));
    await fetch(url, delivery);
    await terminal.until(new RegExp(`"verdict":"${verdictOfRetry}"[^\\n]*\\n$`));
  });

  it("refuses to forward to itself, and invalid URLs", async () => {
    expect(await ran(["listen", "--port", "48123", "--forward", "http://localhost:48123/x"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("--forward leads back to this command"),
    });
    for (const forward of ["localhost:3000", "ftp://x/", "http://me:hunter2@x/"]) {
      const { code, err } = await ran(["listen", "--forward", forward]);
      expect([code, err]).toEqual([2, expect.stringMatching(/^--forward must/)]);
      expect(err).not.toContain("hunter2");
    }
  });
});

describe("forwarded headers", () => {
  const name = fc.constantFrom("Host", "host", "X-A", "x-a", "Connection", "TE", "Transfer-Encoding", "Set-Cookie");
  const rawHeaders = fc
    .array(fc.tuple(name, fc.constantFrom("1", "close", "x-a", "X-A, b")))
    .map((pairs): string[] => pairs.flat());

  it("keep their order, case and number, without those of the connection", () => {
    fc.assert(
      fc.property(rawHeaders, (raw) => {
        const forwarded = endToEnd(raw).flat();
        let from = 0;
        for (const text of forwarded) from = raw.indexOf(text, from) + 1;
        expect(forwarded.join().toLowerCase()).not.toMatch(/connection|transfer-encoding|\bte,/);
        const host = withHeader(endToEnd(raw), "Host", "app").filter(([one]) => one.toLowerCase() === "host");
        expect(host.map(([, value]) => value)).toEqual(["app"]);
      }),
    );
  });
});
