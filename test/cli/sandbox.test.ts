import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { bluumHandler } from "../../adapters/node.ts";
import { run } from "../../src/cli/program.ts";
import { parseFaults } from "../../src/cli/sandbox/faults.ts";
import { createReceiver } from "../../src/index.ts";
import { FAULTS } from "../../src/sandbox/index.ts";
import { freshFile } from "../stores/sqlite-engines.ts";
import { served } from "./app.ts";
import { fakeTerminal, SECRET } from "./fake-terminal.ts";

/** Runs the command until `end` is called. */
function start(...args: string[]) {
  return startWith({}, ...args);
}

function startWith(env: Record<string, string>, ...args: string[]) {
  const controller = new AbortController();
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const text = { out: "", err: "" };
  const written = new EventEmitter();
  stdout.on("data", (chunk) => {
    text.out += chunk;
    written.emit("written");
  });
  stderr.on("data", (chunk) => (text.err += chunk));
  const terminal = { stdin: new PassThrough(), stdout, stderr, env, signal: controller.signal };
  const exited = run(["sandbox", "--port", "0", ...args], terminal);
  return {
    text,
    exited,
    async until(pattern: RegExp): Promise<RegExpExecArray> {
      for (let found = pattern.exec(text.out); ; found = pattern.exec(text.out)) {
        if (found) return found;
        await Promise.race([once(written, "written"), exited.then(() => Promise.reject(new Error(text.err)))]);
      }
    },
    async end() {
      controller.abort();
      return exited;
    },
    async endAfter(pattern: RegExp) {
      await this.until(pattern);
      return this.end();
    },
  };
}

async function endpoint(status: number, body = "") {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(status).end(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `http://127.0.0.1:${(server.address() as { port: number }).port}/` };
}

describe("the command sandbox", () => {
  it("prints its URL and keys, then a line for each attempt", async () => {
    const { server, url } = await endpoint(500);
    const command = start("--speed", "2");
    const [, page = ""] = await command.until(/inspector at (http:\/\/127\.0\.0\.1:\d+\/)/);
    const [, base] = await command.until(/BLUUM_BASE_URL=(\S+)/);
    const [, key] = await command.until(/BLUUM_API_KEY=(\S+)/);
    const [, secret] = await command.until(/BLUUM_API_SECRET=(\S+)/);
    await command.until(/not for production/);
    const made = await fetch(`${base}/webhooks`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${key}:${secret}`)}`, "content-type": "application/json" },
      body: JSON.stringify({ name: "mine\u001b[31m", url, eventTypeNames: ["order.*"] }),
    });
    expect(made.status).toBe(201);
    await fetch(`${page}_inspector/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"event":"order.filled"}',
    });
    const [line] = await command.until(/.*order\.filled.*\n/);
    expect(line).toMatch(
      /^\d\d:\d\d:\d\d {2}order\.filled +mine\\u\{1b\}\[31m {2}#1 {2}500 {2}\d+ ms {2}again in (29|30) s\n$/,
    );
    expect(await command.end()).toBe(130);
    await expect(fetch(page)).rejects.toThrow();
    expect(command.text.err).toBe("");
    server.close();
  });

  it("prints changed secrets, and deliveries that are parked without an attempt", async () => {
    const { server, url } = await endpoint(500);
    const command = start("--speed", "600", "--faults", "rotate_secret");
    const [, page = ""] = await command.until(/inspector at (\S+)/);
    const [, key] = await command.until(/BLUUM_API_KEY=(\S+)/);
    const [, secret] = await command.until(/BLUUM_API_SECRET=(\S+)/);
    const headers = { authorization: `Basic ${btoa(`${key}:${secret}`)}`, "content-type": "application/json" };
    const register = async (name: string) => {
      const body = JSON.stringify({ name, url, eventTypeNames: ["order.*"] });
      const made = await fetch(`${page}v1/webhooks`, { method: "POST", headers, body });
      return `${page}v1/webhooks/${((await made.json()) as { data: { webhook: { id: string } } }).data.webhook.id}`;
    };
    const [paused, gone] = [await register("one"), await register("two")];
    await fetch(`${page}_inspector/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"event":"order.filled"}',
    });
    await command.until(/#1 {2}500/);
    await fetch(paused, { method: "PATCH", headers, body: '{"status":"INACTIVE"}' });
    await fetch(gone, { method: "DELETE", headers });
    await command.until(/the secret of one has changed\n/);
    await command.until(/order\.filled {2}one {2}parked: the endpoint is paused\n/);
    await command.until(/order\.filled {2}wh_\w+ {2}parked: the endpoint is gone\n/);
    await command.end();
    server.close();
  });

  it("prints copies and forgeries with their results", async () => {
    const { server, url } = await endpoint(200);
    const command = start("--speed", "100", "--faults", "forged,duplicate");
    const [, page = ""] = await command.until(/inspector at (\S+)/);
    const [, key] = await command.until(/BLUUM_API_KEY=(\S+)/);
    const [, secret] = await command.until(/BLUUM_API_SECRET=(\S+)/);
    const headers = { authorization: `Basic ${btoa(`${key}:${secret}`)}`, "content-type": "application/json" };
    const webhook = JSON.stringify({ name: "careless", url, eventTypeNames: ["*"] });
    await fetch(`${page}v1/webhooks`, { method: "POST", headers, body: webhook });
    await fetch(`${page}_inspector/events`, { method: "POST", headers, body: '{"event":"order.filled"}' });
    await command.until(/careless {2}#1 {2}200 {2}\d+ ms {2}delivered\n/);
    await command.until(/careless {2}#1 {2}200 {2}\d+ ms {2}delivered {2}\(duplicate\)\n/);
    await command.until(/careless {2}#1 {2}200 {2}\d+ ms {2}ACCEPTED A FORGERY {2}\(forged, \w+\)\n/);
    await command.end();
    server.close();
  });

  it("prints unhandled if the endpoint answers so", async () => {
    const { server, url } = await endpoint(200, '{"received":true,"unhandled":true}');
    const command = start();
    const [, page = ""] = await command.until(/inspector at (\S+)/);
    const post = (path: string, body: object) =>
      fetch(`${page}_inspector/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    await post("endpoints", { url, name: "mine" });
    await post("events", { event: "order.filled" });
    await command.until(/order\.filled +mine {2}#1 {2}200 {2}\d+ ms {2}unhandled\n/);
    await command.end();
    server.close();
  });

  it("reports a port in use with the same message as listen", async () => {
    const { server, url } = await endpoint(200);
    const { port } = new URL(url);
    const terminal = fakeTerminal();
    for (const name of ["sandbox", "listen"]) {
      expect(await run([name, "--port", port], terminal)).toBe(2);
    }
    await new Promise((resolve) => setImmediate(resolve));
    const sentence = `cannot listen on port ${port} of 127.0.0.1: it is in use; choose another with --port, or --port 0 for a free one.\n`;
    expect(terminal.err()).toBe(sentence + sentence);
    server.close();
  });

  it("prints JSON", async () => {
    const command = start("--json", "--scheme", "standard-webhooks", "--shape", "flat");
    const [line] = await command.until(/.+\n/);
    expect(JSON.parse(line)).toMatchObject({ kind: "listening", credentials: { apiKey: expect.any(String) } });
    await command.end();
  });

  it.each([
    [["--speed", "0"], "speed"],
    [["--faults", "flood"], "faults"],
    [["--faults", "slow=2"], "faults"],
    [["--shape", "round"], "shape"],
    [["--seed", "-1"], "seed"],
    [["--host", "256.1.1.1"], "port"],
    [["--host", ""], "host"],
  ])("exits with 2 for %j", async (args, named) => {
    const command = start(...args);
    expect(await command.exited).toBe(2);
    expect(command.text.err).toContain(named);
  });
});

describe("sandbox --forward-to", () => {
  /** An app with this secret, and the events that it handled. */
  async function app(secret: () => string) {
    const handled: string[] = [];
    const receiver = createReceiver({ secret, logger: false }).on("*", ({ type }) => void handled.push(type));
    return { url: await served(bluumHandler(receiver)), handled };
  }

  const send = (page: string) =>
    fetch(`${page}_inspector/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"event":"order.filled"}',
    });

  it("registers the app with the secret of BLUUM_WEBHOOK_SECRET and does not print it", async () => {
    const { url, handled } = await app(() => SECRET);
    const command = startWith({ BLUUM_WEBHOOK_SECRET: SECRET }, "--forward-to", `${url}?key=hunter2`);
    const [, page = ""] = await command.until(/inspector at (\S+)/);
    await command.until(new RegExp(`delivering to ${url}\n`));
    await send(page);
    await command.until(/order\.filled +127\S+ +#1 {2}200 {2}\d+ ms {2}delivered\n/);
    expect(handled).toEqual(["order.filled"]);
    await command.end();
    expect(command.text.out + command.text.err).not.toMatch(new RegExp(`${SECRET}|hunter2`));
  });

  it("generates a secret if none is set, and prints it", async () => {
    let secret = "";
    const { url, handled } = await app(() => secret);
    const command = start("--forward-to", url);
    const [, page = ""] = await command.until(/inspector at (\S+)/);
    [, secret = ""] = await command.until(/export BLUUM_WEBHOOK_SECRET=(\S+)/);
    await send(page);
    await command.until(/delivered\n/);
    expect(handled).toEqual(["order.filled"]);
    await command.end();
    const json = start("--forward-to", url, "--json");
    const [line] = await json.until(/.+\n/);
    expect(JSON.parse(line)).toMatchObject({ endpoint: { url, secret: expect.stringMatching(/^whsec_/) } });
    await json.end();
  });

  it("registers an app once with --state, with the current secret", async () => {
    const { file, remove } = freshFile();
    const { url, handled } = await app(() => SECRET);
    await start("--forward-to", url, "--state", file).endAfter(/inspector/);
    for (const secret of [SECRET, SECRET, undefined]) {
      const env = secret === undefined ? {} : { BLUUM_WEBHOOK_SECRET: secret };
      const command = startWith(env, "--forward-to", url, "--state", file, "--json");
      const [line] = await command.until(/.+\n/);
      const { url: page, endpoint } = JSON.parse(line);
      expect(endpoint).toEqual({ id: expect.stringMatching(/^wh_/), url });
      await send(page);
      await command.until(/"status":200/);
      await command.end();
    }
    expect(handled).toHaveLength(3);
    remove();
  });

  it("refuses several secrets, an unusable secret, and its own URL", async () => {
    const to = "http://localhost:3000/webhooks/bluum";
    const refusal = async (env: Record<string, string>, ...args: string[]) => {
      const command = startWith(env, "--forward-to", to, ...args);
      expect(await command.exited).toBe(2);
      return command.text.err;
    };
    expect(await refusal({ BLUUM_WEBHOOK_SECRET: `${SECRET}\n${SECRET} too` })).toContain("takes one secret");
    expect(await refusal({ BLUUM_WEBHOOK_SECRET: "short" })).toContain("secret cannot be used to sign with bluum");
    expect(await refusal({}, "--port", "3000")).toContain("--forward-to leads back to this command");
  });
});

describe("--faults", () => {
  it("is parsed with probabilities", () => {
    expect(parseFaults("duplicate,slow=0.25")).toEqual({ duplicate: 1, slow: 0.25 });
    expect(parseFaults("all=0.1,forged=0")).toEqual({
      ...Object.fromEntries(FAULTS.map((fault) => [fault, 0.1])),
      forged: 0,
    });
  });
});
