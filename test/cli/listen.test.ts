import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { BodyBudget } from "../../src/body.ts";
import type { Capture } from "../../src/cli/capture.ts";
import { readRequest } from "../../src/cli/listen/read-request.ts";
import { saveCapture } from "../../src/cli/listen/save-capture.ts";
import { hmacSignature, timestampedSignature } from "../../src/index.ts";
import { sampleEvent, signDelivery } from "../../src/testing/index.ts";
import { conversation, listening, sent, served } from "./app.ts";
import { fakeTerminal, ran, SECRET } from "./fake-terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "listen-"));
afterAll(() => rmSync(folder, { recursive: true }));

const genuine = () => signDelivery({ secret: SECRET, event: sampleEvent("order.filled") });
const recordsOf = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("listen", () => {
  it("prints a genuine delivery as one line and answers as a receiver does", async () => {
    const { terminal, url } = await listening();
    const delivery = genuine();
    const answers = [await fetch(url, delivery), await fetch(url, delivery)];
    expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([
      { received: true },
      { received: true, duplicate: true },
    ]);
    await terminal.until(/duplicate.*\n/);
    const [, , first, second] = terminal.out().split("\n");
    expect(first).toMatch(/^\d\d:\d\d:\d\d {2}order\.filled +sha256:\w+… +accepted +200 +\d+ ms$/);
    expect(second).toMatch(/order\.filled +sha256:\w+… +duplicate +200/);
  });

  it("prints the expected and the received headers of a refused delivery", async () => {
    const { terminal, url } = await listening();
    const scheme = hmacSignature({ header: "X-Other-Signature" });
    const answer = await fetch(url, signDelivery({ secret: SECRET, event: sampleEvent("order.filled"), scheme }));
    expect(await answer.json()).toEqual({ error: { code: "signature_missing" } });
    await terminal.until(/look like a signature/);
    expect(terminal.out()).toMatch(/order\.filled .* refused +401/);
    expect(terminal.out()).toMatch(/^ {10}expected X-Bluum-Signature: <hex HMAC-SHA256/m);
    expect(terminal.out()).toMatch(/^ {10}headers that look like a signature: x-other-signature/m);
  });

  it("explains every refused delivery", async () => {
    const { terminal, url } = await listening(["--json"]);
    for (let n = 0; n < 3; n++) await fetch(url, { method: "POST", body: "{}" });
    await terminal.until(/(.*signature_missing.*\n){3}/);
    for (const { diagnosis } of recordsOf(terminal.out()).slice(1)) expect(diagnosis).toHaveLength(3);
  });

  it.each(["webhooks", "", "/a?b=1", "/a#b", "/a b"])(
    "refuses the path %j, which no request can have",
    async (path) => {
      const { code, err } = await ran(["listen", "--port", "0", "--path", path]);
      expect([code, err]).toEqual([2, expect.stringContaining("--path must begin with /")]);
    },
  );

  it("does not print the query of the app's URL, which may contain a key", async () => {
    for (const args of [[], ["--json"]]) {
      const { terminal } = await listening(["--forward", "http://127.0.0.1:9/hook?key=hunter2", ...args]);
      expect(terminal.out()).toContain("http://127.0.0.1:9/hook");
      expect(terminal.out()).not.toContain("hunter2");
    }
  });

  it("prints one object a line with --json", async () => {
    const { terminal, url } = await listening(["--json"]);
    await fetch(url, genuine());
    await terminal.until(/delivery.*\n/);
    const [first, second] = recordsOf(terminal.out());
    expect(first).toEqual({ kind: "listening", url });
    expect(second).toMatchObject({ kind: "delivery", type: "order.filled", verdict: "accepted", status: 200 });
    expect(second.durationMs).toBeGreaterThan(0);
  });

  it("escapes control characters of deliveries", async () => {
    const { terminal, url } = await listening();
    const event = { event: "order.\u001b[2J\u009b31m\u202efilled", data: {} };
    await fetch(url, signDelivery({ secret: SECRET, event }));
    await fetch(url, { method: "POST", body: JSON.stringify(event) });
    await terminal.until(/refused.*\n/);
    expect(terminal.out()).toContain("order.\\u{1b}[2J\\u{9b}31m\\u{202e}");
    expect(terminal.out().replaceAll("\n", "")).not.toMatch(/[\p{C}]/u);
  });

  it("limits the size of a body, and answers before its end", async () => {
    const { terminal, url } = await listening(["--save", join(folder, "large")]);
    const head = `POST /webhooks/bluum HTTP/1.1\r\nHost: localhost\r\nX-Bluum-Signature: ${"0".repeat(64)}\r\n`;
    expect(await conversation(url, `${head}Content-Length: 2000000\r\n\r\nabc`)).toMatch(/^HTTP\/1\.1 413 /);
    const chunks = `10000\r\n${"x".repeat(65_536)}\r\n`.repeat(17);
    expect(await conversation(url, `${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`)).toMatch(/^HTTP\/1\.1 413 /);
    await terminal.until(/(body_too_large[\s\S]*){2}/);
    expect(existsSync(join(folder, "large"))).toBe(false);
  });

  it("limits the time of a body", async () => {
    const bodies: unknown[] = [];
    const url = await served(async (request, response) => {
      bodies.push((await readRequest(request, new BodyBudget({ maxBytes: 10, timeoutMs: 20 }))).body);
      response.writeHead(408, { connection: "close" }).end();
    });
    await conversation(url, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
    expect(bodies).toEqual([expect.objectContaining({ code: "body_timeout" })]);
  });

  it("limits the memory of all bodies together", async () => {
    const bodies = new BodyBudget({ maxBytes: 1024 * 1024, timeoutMs: 10_000 });
    const received: unknown[] = [];
    const url = await served(async (request, response) => {
      received.push((await readRequest(request, bodies)).body);
      response.writeHead(503, { connection: "close" }).end();
    });
    let end: (body: Uint8Array) => void = () => {};
    const others = bodies.read(({ reserve }) => {
      reserve?.(64 * 1024 * 1024);
      return new Promise((resolve) => {
        end = resolve;
      });
    });
    const body = "x".repeat(200_000);
    await fetch(url, { method: "POST", body });
    end(new Uint8Array(0));
    await others;
    await fetch(url, { method: "POST", body });
    expect(received).toEqual([expect.objectContaining({ code: "receiver_busy" }), Uint8Array.from(Buffer.from(body))]);
  });

  it("receives deliveries at its path only, and prints a note for others", async () => {
    const { terminal, url } = await listening();
    expect((await fetch(new URL("/elsewhere?x=1", url), genuine())).status).toBe(404);
    expect((await fetch(`${url}?x=1`, genuine())).status).toBe(200);
    expect(terminal.err()).toContain("404 POST /elsewhere?x=1: deliveries are received at /webhooks/bluum");
  });

  it.each(["localhost", "LOCALHOST", "app.localhost", "127.0.0.1", "127.9.9.9", "[::1]"])(
    "accepts the host name %s with any port",
    async (name) => {
      const { url } = await listening();
      const { headers, body } = genuine();
      for (const host of [name, `${name}:8080`]) {
        const { answer } = await sent(url, ["Host", host, ...Object.entries(headers).flat()], body);
        expect([host, answer.statusCode]).toEqual([host, 200]);
      }
    },
  );

  it.each(["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.1.2", "10.0.0.1:4100", ""])(
    "refuses the host name %j, which DNS rebinding could use, and prints the option that allows it",
    async (host) => {
      const seen: unknown[] = [];
      const app = await served((request, response) => {
        seen.push(request);
        response.end();
      });
      const { terminal, url } = await listening(["--forward", app]);
      const { headers, body } = genuine();
      const { answer } = await sent(url, ["Host", host, ...Object.entries(headers).flat()], body);
      expect([answer.statusCode, seen]).toEqual([421, []]);
      expect(terminal.out()).not.toContain("order.filled");
      expect(terminal.err()).toContain(
        `421: Host is ${JSON.stringify(host)}; if this is your tunnel, add the name with --allow-host`,
      );
    },
  );

  it("accepts the names of --allow-host, and addresses if --host opens the port to others", async () => {
    const { headers, body } = genuine();
    const statusOf = async (url: string, host: string) =>
      (await sent(url, ["Host", host, ...Object.entries(headers).flat()], body)).answer.statusCode;
    const { url } = await listening(["--allow-host", "One.example", "--allow-host", "two.example:8080"]);
    expect(await statusOf(url, "one.example")).toBe(200);
    expect(await statusOf(url, "two.example")).toBe(200);
    expect(await statusOf(url, "three.example")).toBe(421);
    const open = await listening(["--host", "0.0.0.0"]);
    expect(await statusOf(open.url, "192.168.1.2:4100")).toBe(200);
    expect(await statusOf(open.url, "evil.example")).toBe(421);
  });

  it("verifies with the scheme of --scheme and with every secret of a rotation", async () => {
    const terminal = fakeTerminal({
      BLUUM_WEBHOOK_SECRET: "the new secret of this endpoint\nthe old secret of this endpoint",
    });
    const ended = ran(["listen", "--port", "0", "--scheme", "hmac:header=X-Sig,prefix=v0=", "--json"], terminal);
    const [url] = await terminal.until(/http[^"]+/);
    const scheme = hmacSignature({ header: "X-Sig", prefix: "v0=" });
    const secret = "the old secret of this endpoint";
    expect((await fetch(url, signDelivery({ secret, scheme, event: sampleEvent("order.filled") }))).status).toBe(200);
    terminal.interrupt();
    expect((await ended).code).toBe(130);
  });

  it("explains that its port is in use", async () => {
    const { port } = new URL(await served(() => {}));
    const { code, err } = await ran(["listen", "--port", port]);
    expect([code, err]).toEqual([
      2,
      `cannot listen on port ${port} of 127.0.0.1: it is in use; choose another with --port, or --port 0 for a free one.\n`,
    ]);
  });

  it("refuses a secret that its scheme cannot use before it listens", async () => {
    const { code, err } = await ran(["listen", "--port", "0"], fakeTerminal({ BLUUM_WEBHOOK_SECRET: "short" }));
    expect(code).toBe(2);
    expect(err).toMatch(/fewer than 16 bytes/);
    expect(err).not.toContain("short");
  });

  it("frees its port at Ctrl-C, with connections open", async () => {
    const { terminal, url, ended } = await listening();
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    await once(socket, "connect");
    socket.write("POST /webhooks/bluum HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
    const closed = once(socket.on("error", () => {}).resume(), "close");
    // An answer to a later request shows that the first is being read.
    await fetch(url, genuine());
    terminal.interrupt();
    expect((await ended).code).toBe(130);
    await closed;
    const again = createServer().listen(Number(new URL(url).port), "127.0.0.1");
    await once(again, "listening");
    again.close();
  });
});

describe("listen --save", () => {
  it("saves the exact bytes of each delivery in a file that only its owner can read", async () => {
    const save = join(folder, "captures");
    const { terminal, url } = await listening(["--save", save]);
    const { headers, body } = genuine();
    const rawHeaders = ["Host", "localhost", "X-Twice", "1", "x-twice", "2", ...Object.entries(headers).flat()];
    await sent(`${url}?a=1`, rawHeaders, body);
    await sent(url, ["Host", "localhost"], Buffer.from([0xff, 0xfe, 0x00]));
    await terminal.until(/refused.*\n/);

    const files = readdirSync(save).sort();
    expect(files).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-\d\.json$/),
      expect.any(String),
    ]);
    for (const name of files) expect(statSync(join(save, name)).mode & 0o777).toBe(0o600);
    const [text, binary] = files.map((name) => JSON.parse(readFileSync(join(save, name), "utf8")) as Capture);
    expect(text).toMatchObject({ version: 1, method: "POST", url: "/webhooks/bluum?a=1", body });
    expect(text?.rawHeaders.slice(0, rawHeaders.length)).toEqual(rawHeaders);
    expect(binary).toMatchObject({ bodyBase64: "//4A" });
    expect(binary).not.toHaveProperty("body");
    expect(terminal.out()).toContain(files[0]);
  });

  it("never overwrites a file", async () => {
    const capture: Capture = {
      version: 1,
      receivedAt: "2026-01-01T00:00:00.000Z",
      method: "POST",
      url: "/",
      rawHeaders: [],
    };
    const paths = await Promise.all(
      [1, 2, 3].map((n) => saveCapture(join(folder, "same"), { ...capture, url: `/${n}` })),
    );
    expect(new Set(paths).size).toBe(3);
    const urls = paths.map((path) => JSON.parse(readFileSync(path, "utf8")).url);
    expect(urls).toEqual(["/1", "/2", "/3"]);
  });

  it("answers although a delivery cannot be saved, and prints a note", async () => {
    const { terminal, url } = await listening(["--save", "/dev/null/captures"]);
    expect((await fetch(url, genuine())).status).toBe(200);
    await terminal.until(/accepted/);
    expect(terminal.err()).toMatch(/a delivery could not be saved in \/dev\/null\/captures: ENOTDIR/);
  });
});

describe("listen, at the first delivery refused for its signature", () => {
  const other = (header: string, secret = SECRET) =>
    signDelivery({ secret, event: EVENT, scheme: hmacSignature({ header }) });
  const EVENT = sampleEvent("order.filled");

  it("prints the scheme line if exactly one matches, once", async () => {
    const { terminal, url } = await listening();
    await fetch(url, genuine());
    // Nothing in its headers could be a signature.
    await fetch(url, { method: "POST", body: "{}" });
    for (let n = 0; n < 2; n++) await fetch(url, other("X-Sig"));
    await terminal.until(/(refused[\s\S]*){3}/);
    await terminal.until(/scheme: hmacSignature\(\{ header: "X-Sig" \}\),\n/i);
    expect(terminal.out().match(/it is signed in another way/g)).toHaveLength(1);
  });

  it("prints a program if none of the package's schemes matches", async () => {
    const { terminal, url } = await listening();
    const { headers, body } = signDelivery({
      secret: SECRET,
      event: EVENT,
      scheme: timestampedSignature({ header: "X-S" }),
    });
    const [t = "", v1 = ""] = headers["X-S"]?.split(",").map((part) => part.split("=")[1]) ?? [];
    await fetch(url, { method: "POST", headers: { "x-time": t, "x-signature": v1 }, body });
    await terminal.until(/createReceiver\(\{/);
    expect(terminal.out()).toMatch(/^ {10}import .* from "bluum-webhooks";$/m);
  });

  it("prints no scheme line if several match or none does", async () => {
    const several = await listening();
    const both = { ...other("X-One"), headers: { ...other("X-One").headers, ...other("X-Two").headers } };
    await fetch(several.url, both);
    await several.terminal.until(/more than one scheme matches it/);
    const none = await listening();
    await fetch(none.url, other("X-Sig", "the secret of another endpoint"));
    await none.terminal.until(/none of \d+ schemes matches it\n.*\n/);
    expect(several.terminal.out() + none.terminal.out()).not.toMatch(/scheme: \w+\(/);
  });

  it("is not stopped by JSON that is nested 100,000 levels deep", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const event = `{"event":"order.filled","timestamp":"${new Date().toISOString()}","data":{"x":${deep}}}`;
    const { terminal, url } = await listening();
    expect((await fetch(url, signDelivery({ secret: "the secret of another endpoint", event }))).status).toBe(401);
    await terminal.until(/none of \d+ schemes matches it\n/);
    expect((await fetch(url, signDelivery({ secret: SECRET, event: deep }))).status).toBe(400);
    expect((await fetch(url, signDelivery({ secret: SECRET, event }))).status).toBe(200);
    await terminal.until(/accepted/);
    expect(terminal.err()).toBe("");
  });

  it("prints the whole detection with --json", async () => {
    const { terminal, url } = await listening(["--json"]);
    await fetch(url, other("X-Sig"));
    const [line] = await terminal.until(/^\{"kind":"detection".*$/m);
    expect(JSON.parse(line)).toMatchObject({ verdict: "one", findings: [{ preset: true }] });
  });
});
