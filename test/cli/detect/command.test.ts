import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXIT } from "../../../src/cli/exit.ts";
import { signDelivery } from "../../../src/testing/index.ts";
import { fakeTerminal, ran } from "../fake-terminal.ts";
import { BODY, captured, hmac, NOW, SECONDS, SECRET } from "./captures.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "detect-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command line with this secret and returns its output and exit code. */
async function cli(args: readonly string[], secret: string = SECRET) {
  const { code, out, err } = await ran(args, fakeTerminal({ BLUUM_WEBHOOK_SECRET: secret }));
  return { exitCode: code, stdout: out, stderr: err };
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const SIGNATURE = hmac("sha256", SECRET, SECONDS, ".", BODY).toString("hex");
const HEADERS = { "X-Acme-Signature": `t=${SECONDS},v1=${SIGNATURE}` };
const CAPTURE = captured({ headers: HEADERS }).capture;
const LINE = 'scheme: timestampedSignature({ header: "X-Acme-Signature" }),';

describe("the command detect", () => {
  it("prints the scheme line and exits with 0", async () => {
    const { exitCode, stdout, stderr } = await cli(["detect", file("one.json", JSON.stringify(CAPTURE))]);
    expect(stdout).toContain(LINE);
    expect(stdout).toMatch(/^Tried \d+ combinations \(\d+ signatures computed\) on 1 capture\./);
    expect(stdout).toContain("Event id");
    expect({ exitCode, stderr }).toEqual({ exitCode: EXIT.ok, stderr: "" });
  });

  it("wraps sentences at words on a terminal, but not code", async () => {
    const path = file("one.json", JSON.stringify(CAPTURE));
    for (const secret of [SECRET, "another secret of 16 bytes"]) {
      const terminal = fakeTerminal({ BLUUM_WEBHOOK_SECRET: secret, NO_COLOR: "1" });
      Object.assign(terminal.stdout, { isTTY: true, columns: 44 });
      const { out } = await ran(["detect", path], terminal);
      const { stdout } = await cli(["detect", path], secret);
      const code = stdout.split("\n").filter((line) => /[{}]|process.env/.test(line));
      const tooLong = out.split("\n").filter((line) => line.length > 44);
      expect(
        tooLong.filter((line) => !code.includes(line) && !/^ {2}(header|signature|signed|key) /.test(line)),
      ).toEqual([]);
      for (const line of code) expect(out).toContain(line);
      expect(out.split(/\s+/)).toEqual(stdout.split(/\s+/));
    }
  });

  it("exits with 1 and prints no scheme if nothing matches", async () => {
    const { exitCode, stdout } = await cli(
      ["detect", file("one.json", JSON.stringify(CAPTURE))],
      "another secret of 16 bytes",
    );
    expect(exitCode).toBe(EXIT.failed);
    expect(stdout).toMatch(/Nothing matches/);
    expect(stdout).not.toMatch(/scheme:|createReceiver\(/);
  });

  it("exits with 1 and lists the schemes if several match", async () => {
    const plain = hmac("sha256", SECRET, BODY).toString("hex");
    const { capture } = captured({ headers: { "X-A-Signature": plain, "X-B-Signature": plain } });
    const { exitCode, stdout } = await cli(["detect", file("two.json", JSON.stringify(capture))]);
    expect(exitCode).toBe(EXIT.failed);
    expect(stdout).toMatch(/2 schemes match.*X-A-Signature.*X-B-Signature.*To decide: /s);
  });

  it("prints JSON without the secret or a signature", async () => {
    const { exitCode, stdout } = await cli(["detect", file("one.json", JSON.stringify(CAPTURE)), "--json"]);
    expect(exitCode).toBe(EXIT.ok);
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: "one",
      captures: 1,
      findings: [{ preset: true, scheme: LINE.slice(8, -1) }],
    });
    expect(stdout).not.toContain(SECRET);
    expect(stdout).not.toContain(SIGNATURE);
  });

  it("reads folders, of which all captures must match", async () => {
    for (const n of [1, 2, 3]) {
      const body = BODY.replace("ord_1", `ord_${n}`);
      const { headers } = signDelivery({ secret: SECRET, event: body, now: NOW });
      file(`many/${n}.json`, JSON.stringify(captured({ headers, body }).capture));
    }
    file("many/.DS_Store", "\0\0");
    file("many/notes.md", "not read");
    expect(await cli(["detect", join(folder, "many")])).toMatchObject({
      exitCode: EXIT.ok,
      stdout: expect.stringMatching(/on 3 captures/),
    });
    const mixed = await cli(["detect", join(folder, "many"), file("one.json", JSON.stringify(CAPTURE))]);
    expect(mixed).toMatchObject({
      exitCode: EXIT.failed,
      stdout: expect.stringMatching(/3 of 4 captures have a valid signature .* but not one\.json/),
    });
  });

  it("reads a body that is not UTF-8", async () => {
    const bytes = Buffer.from([0xff, 0x00, 0xfe]);
    const signed = { "X-Acme-Signature": hmac("sha256", SECRET).toString("hex") };
    const { body: _, ...capture } = captured({ headers: signed }).capture;
    const { createHmac } = await import("node:crypto");
    const signature = createHmac("sha256", SECRET).update(bytes).digest("hex");
    const binary = { ...capture, rawHeaders: ["X-Acme-Signature", signature], bodyBase64: bytes.toString("base64") };
    expect(await cli(["detect", file("binary.json", JSON.stringify(binary))])).toMatchObject({ exitCode: EXIT.ok });
  });
});

describe("detect reads", () => {
  const head = `POST /webhooks/bluum HTTP/1.1\r\nHost: example.com\r\nx-acme-signature: ${HEADERS["X-Acme-Signature"]}\r\n`;
  const length = `Content-Length: ${Buffer.byteLength(BODY)}\r\n`;
  const headers = Object.entries(HEADERS).map(([name, value]) => ({ name, value }));
  const request = { method: "POST", url: "https://example.com/webhooks/bluum", headers, postData: { text: BODY } };

  it.each([
    ["a raw request", `${head}${length}\r\n${BODY}`],
    ["a raw request with bytes after its body", `${head}${length}\r\n${BODY}\r\n\r\n`],
    ["a raw request with bare line breaks", `${head}${length}\n${BODY}`.replaceAll("\r\n", "\n")],
    ["a raw request without Content-Length", `${head}\r\n${BODY}`],
    [
      "a HAR",
      JSON.stringify({
        log: { version: "1.2", entries: [{ request }, { request: { method: "GET", url: "/", headers: [] } }] },
      }),
    ],
    ["an object with headers and a body", JSON.stringify({ headers: HEADERS, body: BODY })],
    [
      "an object as request bins export it",
      JSON.stringify({ method: "POST", headers: { "x-acme-signature": [HEADERS["X-Acme-Signature"]] }, content: BODY }),
    ],
  ])("%s", async (name, content) => {
    const { exitCode, stdout } = await cli(["detect", file(`${name}.dump`, content)]);
    expect(stdout).toMatch(/timestampedSignature\(\{ header: "x-acme-signature" \}\)/i);
    expect(exitCode).toBe(EXIT.ok);
  });

  it("a chunked request as saved by netcat", async () => {
    const received: Buffer[] = [];
    const server = createServer((socket) => {
      socket.on("data", (chunk) => {
        received.push(chunk);
        if (Buffer.concat(received).includes("0\r\n\r\n"))
          socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const request = httpRequest({ port, host: "127.0.0.1", path: "/webhooks/bluum", method: "POST", headers: HEADERS });
    request.write(BODY.slice(0, 20));
    request.end(BODY.slice(20));
    const [response] = await once(request, "response");
    response.resume();
    server.close();
    expect(Buffer.concat(received).toString()).toMatch(/transfer-encoding: chunked/i);
    const { exitCode, stdout } = await cli(["detect", file("chunked.http", Buffer.concat(received))]);
    expect(stdout).toMatch(/timestampedSignature/);
    expect(exitCode).toBe(EXIT.ok);
  });

  it.each([
    ["missing.json", undefined, /cannot be read \(ENOENT\)/],
    ["text.json", "no capture", /is neither JSON nor an HTTP request/],
    ["number.json", "17", /is not a captured request/],
    ["headless.json", "{}", /has no headers/],
    [
      "parsed.json",
      '{"headers":{},"body":{"event":"order.filled"}}',
      /already parsed; a signature covers the exact bytes/,
    ],
    ["gets.har", '{"log":{"entries":[]}}', /holds no POST request/],
    ["half.http", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", /with an incomplete body/],
    ["backwards.http", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-10\r\n0123456789abcdef", /incomplete/],
    ["sign.http", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n+2\r\nab\r\n0\r\n\r\n", /incomplete/],
    ["text.http", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2 of\r\nab\r\n0\r\n\r\n", /incomplete/],
    ["empty/none.md", "", /there is no capture in/],
  ])("and names the file that it refuses: %s", async (name, content, message) => {
    const path = content === undefined ? join(folder, name) : file(name, content);
    const { exitCode, stdout, stderr } = await cli(["detect", name.startsWith("empty") ? join(path, "..") : path]);
    expect(exitCode).toBe(EXIT.usage);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
  });

  it("no file over 16 MiB", async () => {
    const { exitCode, stderr } = await cli(["detect", file("large.json", Buffer.alloc(16 * 1024 * 1024 + 1, 32))]);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: EXIT.usage,
      stderr: expect.stringMatching(/is larger than 16 MiB/),
    });
  });

  it("names and paths, but prints no control character of them", async () => {
    const hostile = "\u001b]0;owned\u0007";
    const { capture } = captured({
      headers: {
        "X-Acme-Signature": `${hostile}${hmac("sha256", SECRET, BODY).toString("hex")}`,
        [`X-${hostile}`]: "1",
      },
    });
    const path = file(`${hostile}.json`, JSON.stringify(capture));
    for (const args of [
      ["detect", path],
      ["detect", path, path],
      ["detect", `${path}.none`],
    ]) {
      const { stdout, stderr } = await cli(args);
      expect(stdout + stderr).toMatch(/\S/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the output must not contain these
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
  });
});

describe("JSON that is nested 100,000 levels deep", () => {
  const LEVELS = 100_000;
  const arrays = "[".repeat(LEVELS) + "]".repeat(LEVELS);
  const objects = `${'{"a":'.repeat(LEVELS)}1${"}".repeat(LEVELS)}`;
  const bodies = {
    "as the body": arrays,
    "next to the event": `{"event":"order.filled","x":${arrays}}`,
    "in its data": `{"event":"order.filled","timestamp":"2025-06-15T14:30:15Z","data":{"x":${arrays}}}`,
    "in objects": `{"event":"order.filled","timestamp":"2025-06-15T14:30:15Z","data":${objects}}`,
    "2,000 levels deep": `{"event":"order.filled","data":${"[".repeat(2_000)}${"]".repeat(2_000)}}`,
  };

  it.each(Object.entries(bodies))("%s does not stop a search, with a valid signature or without", async (_, body) => {
    const headers = { "X-Bluum-Signature": hmac("sha256", SECRET, body).toString("hex") };
    const path = file("deep.json", JSON.stringify(captured({ headers, body }).capture));
    expect(await cli(["detect", path])).toMatchObject({ exitCode: EXIT.ok, stderr: "" });
    const other = await cli(["detect", path], "another secret of 16 bytes");
    expect(other).toMatchObject({ exitCode: EXIT.failed, stderr: "no scheme matches the captures.\n" });
    expect(other.stdout).toContain("Most likely the secret is wrong");
  });

  it("in a file of captures is refused", async () => {
    expect(await cli(["detect", file("deep.json", arrays)])).toMatchObject({
      exitCode: EXIT.usage,
      stderr: expect.stringContaining("is not a captured request"),
    });
  });
});
