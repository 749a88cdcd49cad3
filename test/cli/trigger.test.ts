import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bluumHandler } from "../../adapters/node.ts";
import { SCENARIOS } from "../../src/cli/scenarios.ts";
import { parseScheme, schemeOf } from "../../src/cli/scheme.ts";
import { FORGERIES } from "../../src/cli/trigger/forgeries.ts";
import { createReceiver } from "../../src/index.ts";
import { receiving, served } from "./app.ts";
import { fakeTerminal, ran, SECRET } from "./fake-terminal.ts";

const WHSEC = `whsec_${Buffer.from(SECRET).toString("base64")}`;

async function outcomes(args: readonly string[], terminal = fakeTerminal()) {
  const { code, out, err } = await ran(["trigger", ...args, "--json"], terminal);
  return {
    code,
    err,
    rows: JSON.parse(out).outcomes as {
      event: string;
      sent: string;
      result: string;
      count: number;
      status?: number;
      code?: string;
    }[],
  };
}

describe("trigger", () => {
  it("sends a signed sample and prints the result", async () => {
    const { code, out, err } = await ran(["trigger", "order.filled", "--to", await receiving()]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^event +sent +result +answer +count +median +p95 +max\n/);
    expect(out).toMatch(/\norder\.filled +genuine +acknowledged +200 +1 +[\d.]+ ms +[\d.]+ ms +[\d.]+ ms\n$/);
  });

  it("sends many deliveries with new ids, up to the concurrency at a time", async () => {
    let now = 0;
    let most = 0;
    const receiver = createReceiver({ secret: SECRET, logger: false }).on("*", async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
    });
    const args = ["order.filled", "--to", await served(bluumHandler(receiver)), "--times", "40", "--concurrency", "8"];
    const { code, rows } = await outcomes(args);
    expect([code, rows]).toEqual([0, [expect.objectContaining({ result: "acknowledged", count: 40 })]]);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });

  it("sends copies, of which the receiver processes one", async () => {
    const { code, rows } = await outcomes([
      "order.filled",
      "--to",
      await receiving(),
      "--duplicate",
      "9",
      "--concurrency",
      "4",
    ]);
    expect(code).toBe(0);
    expect(rows.find(({ result }) => result === "acknowledged")?.count).toBe(1);
    expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(10);
  });

  it.each(Object.keys(SCENARIOS))("sends the scenario %s", async (name) => {
    const { code, rows } = await outcomes([name, "--to", await receiving()]);
    expect(code).toBe(0);
    expect(rows.length).toBeGreaterThan(0);
  });

  it("reads data from JSON and from a file", async () => {
    const seen: unknown[] = [];
    const receiver = createReceiver({ secret: SECRET }).on("*", ({ data }) => void seen.push(data));
    const to = await served(bluumHandler(receiver));
    const folder = mkdtempSync(join(tmpdir(), "data-"));
    writeFileSync(join(folder, "data.json"), '{"symbol":"MSFT"}');
    await ran(["trigger", "order.filled", "--to", to, "--data", ' {"symbol":"NVDA","quantity":"3"}']);
    await ran(["trigger", "order.filled", "--to", to, "--data", join(folder, "data.json")]);
    rmSync(folder, { recursive: true });
    expect(seen).toMatchObject([{ symbol: "NVDA", quantity: "3", status: "filled" }, { symbol: "MSFT" }]);
  });

  it("sends an event outside the catalogue, with a note", async () => {
    const { code, err } = await ran(["trigger", "compliance.alert", "--to", await receiving()]);
    expect([code, err]).toEqual([0, "compliance.alert is not in the catalogue; it is sent nevertheless.\n"]);
  });

  it.each([
    [
      ["order filled"],
      /"order filled" is neither an event, such as order.filled, nor a scenario; the scenarios are order-filled/,
    ],
    [["order.filled", "--data", "[1]"], /cannot be read \(ENOENT\)/],
    [["order.filled", "--data", "{"], /--data is not JSON/],
    [["order.filled", "--forge", "magic"], /"magic" is not a kind; the kinds are wrong-secret/],
    [
      ["order.filled", "--forge", "expired"],
      /expired is not a forgery with the scheme bluum, which signs no timestamp/,
    ],
    [["order.filled", "--forge", "old-event", "--scheme", "standard-webhooks"], /which signs a timestamp/],
    [["order.filled", "--times", "0"], /whole number from 1 to 100000/],
  ])("exits with 2 for %j", async (args, message) => {
    const { code, err } = await ran(["trigger", ...args, "--to", "http://127.0.0.1:9/"]);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  });

  it("exits with 3 if there is no answer, without trying all", async () => {
    const { code, rows, err } = await outcomes([
      "order.filled",
      "--to",
      "http://127.0.0.1:9/",
      "--times",
      "1000",
      "--duplicate",
      "5",
    ]);
    expect([code, rows]).toEqual([3, [expect.objectContaining({ result: "no answer", count: 3 })]]);
    expect(JSON.parse(err).error.code).toBe("unreachable");
  });

  it("exits with 3 if the answer takes too long", async () => {
    const { code, rows } = await outcomes(["order.filled", "--to", await served(() => {}), "--timeout-ms", "20"]);
    expect([code, rows]).toEqual([3, [expect.objectContaining({ result: "no answer", code: "timed out" })]]);
  });

  it.each([302, 404, 405, 413, 429])("does not count %i as a refusal of a forgery", async (status) => {
    const to = await served((_, response) => response.writeHead(status).end());
    expect(await outcomes(["order.filled", "--to", to, "--forge", "wrong-secret"])).toMatchObject({
      code: 1,
      rows: [{ result: "failed", status }],
    });
  });

  it.each([400, 401, 403])("counts %i as a refusal of a forgery", async (status) => {
    const to = await served((_, response) => response.writeHead(status).end());
    expect(await outcomes(["order.filled", "--to", to, "--forge", "wrong-secret"])).toMatchObject({ code: 0 });
  });

  it("reports the deliveries that were not sent", async () => {
    const { err } = await ran(["trigger", "order.filled", "--to", "http://127.0.0.1:9/", "--times", "1000"]);
    expect(err).toContain("did not answer 3 of 3 deliveries; the other 997 were not sent.");
    const few = await ran(["trigger", "order.filled", "--to", "http://127.0.0.1:9/", "--times", "2"]);
    expect(few.err).toContain("did not answer 2 of 2 deliveries.");
  });

  it("does not follow redirects", async () => {
    const to = await served((_, response) => response.writeHead(302, { location: "/elsewhere" }).end());
    expect(await outcomes(["order.filled", "--to", to])).toMatchObject({
      code: 1,
      rows: [{ result: "failed", status: 302 }],
    });
  });

  it("stops at Ctrl-C and prints the results so far", async () => {
    const terminal = fakeTerminal();
    let requests = 0;
    const to = await served((_, response) => {
      requests += 1;
      if (requests < 3) response.end("{}");
      else terminal.interrupt();
    });
    const { code, out } = await ran(["trigger", "order.filled", "--to", to, "--times", "1000"], terminal);
    expect(code).toBe(130);
    expect(out).toMatch(/acknowledged +200 +2 /);
  });

  it("shows a progress bar on a terminal for many deliveries, and removes it", async () => {
    const terminal = fakeTerminal();
    terminal.stderr.isTTY = true;
    const { err } = await ran(["trigger", "order.filled", "--to", await receiving(), "--times", "25"], terminal);
    expect(err).toMatch(/\r\[# *\] 1 of 25/);
    expect(err.endsWith(`\r[${"#".repeat(30)}] 25 of 25\r\u001b[K`)).toBe(true);
    const short = fakeTerminal();
    short.stderr.isTTY = true;
    expect((await ran(["trigger", "order.filled", "--to", await receiving()], short)).err).toBe("");
  });
});

describe("trigger --forge", () => {
  const schemes = [
    "bluum",
    "hmac:header=X-Sig,encoding=base64,secretEncoding=hex",
    "timestamped:header=X-Sig",
    "standard-webhooks",
  ];

  it.each(schemes)("sends nothing that a receiver with the scheme %s admits", async (text) => {
    const secret = text.includes("hex")
      ? Buffer.from(SECRET).toString("hex")
      : text.startsWith("standard")
        ? WHSEC
        : SECRET;
    const to = await receiving({ secret, scheme: schemeOf(parseScheme(text)) });
    const terminal = fakeTerminal({ BLUUM_WEBHOOK_SECRET: secret });
    const { code, rows } = await outcomes(["order.filled", "--to", to, "--forge", "all", "--scheme", text], terminal);
    expect(code).toBe(0);
    expect(rows.length).toBeGreaterThanOrEqual(7);
    for (const row of rows)
      expect(row).toMatchObject({ result: "refused", status: row.sent === "old-event" ? 400 : 401 });
  });

  it("sends every kind with one scheme or another", async () => {
    const sent = new Set<string>();
    for (const [scheme, secret] of [
      ["bluum", SECRET],
      ["standard-webhooks", WHSEC],
    ] as const) {
      const terminal = fakeTerminal({ BLUUM_WEBHOOK_SECRET: secret });
      const to = await receiving({ secret, scheme: schemeOf(parseScheme(scheme)) });
      const { rows } = await outcomes(["order.filled", "--to", to, "--forge", "all", "--scheme", scheme], terminal);
      for (const row of rows) sent.add(row.sent);
    }
    expect([...sent].sort()).toEqual(Object.keys(FORGERIES).sort());
  });

  it("exits with 1 if a forged delivery is admitted", async () => {
    const args = [
      "order.filled",
      "--to",
      await served((_, response) => response.end("ok")),
      "--forge",
      "no-signature,truncated",
    ];
    const { code, out, err } = await ran(["trigger", ...args]);
    expect([code, err]).toEqual([1, "2 of 2 deliveries were not answered as expected.\n"]);
    expect(out).toMatch(/no-signature +admitted +200.*not as expected/);
  });

  it("does not count a missing route as a refusal", async () => {
    const to = await served((_, response) => response.writeHead(404).end());
    expect((await outcomes(["order.filled", "--to", to, "--forge", "no-signature"])).code).toBe(1);
  });
});

describe("trigger, if no handler matches the event", () => {
  const unhandled = () =>
    served((_, response) => {
      response.setHeader("content-type", "application/json");
      response.end('{"received":true,"unhandled":true}');
    });

  it("reports the event as unhandled", async () => {
    const { code, out } = await ran(["trigger", "order.filled", "--to", await unhandled()]);
    expect(code).toBe(0);
    expect(out).toMatch(/\norder\.filled +genuine +unhandled +200 +1 /);
  });

  it("reports its copies as unhandled too, since it is not remembered", async () => {
    const args = ["order.filled", "--to", await unhandled(), "--duplicate", "3", "--concurrency", "2"];
    const { code, rows } = await outcomes(args);
    expect([code, rows]).toEqual([0, [expect.objectContaining({ result: "unhandled", expected: true, count: 4 })]]);
  });

  it("does not accept another status than 2xx as unhandled", async () => {
    const to = await served((_, response) => response.writeHead(500).end('{"received":true,"unhandled":true}'));
    expect(await outcomes(["order.filled", "--to", to])).toMatchObject({ code: 1, rows: [{ result: "failed" }] });
  });

  it("counts a forged delivery as admitted", async () => {
    const args = ["order.filled", "--to", await unhandled(), "--forge", "no-signature"];
    expect(await outcomes(args)).toMatchObject({ code: 1, rows: [{ result: "admitted" }] });
  });
});

describe("trigger --duplicate", () => {
  it.each(["ok", "", "{}", '{"ok":true}'])("accepts an app that answers each copy 200 with %j", async (body) => {
    const to = await served((_, response) => response.end(body));
    const { code, rows } = await outcomes(["order.filled", "--to", to, "--duplicate", "2"]);
    expect([code, rows.map(({ result, count }) => [result, count])]).toEqual([0, [["acknowledged", 3]]]);
  });

  it("accepts a route handler whose duplicates the receiver answers", async () => {
    const seen = new Set<string>();
    const to = await served(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      if (seen.has(body)) response.end('{"received":true,"duplicate":true}');
      else response.writeHead(204).end();
      seen.add(body);
    });
    expect(await outcomes(["order.filled", "--to", to, "--duplicate", "2"])).toMatchObject({
      code: 0,
      rows: [
        { result: "acknowledged", status: 204, count: 1 },
        { result: "duplicate", status: 200, count: 2 },
      ],
    });
  });

  it("reports an app that answers one copy as a duplicate and another as new", async () => {
    let asked = 0;
    const to = await served((_, response) => {
      asked += 1;
      if (asked === 2) response.end('{"received":true,"duplicate":true}');
      else response.writeHead(204).end();
    });
    expect(await outcomes(["order.filled", "--to", to, "--duplicate", "2"])).toMatchObject({
      code: 1,
      rows: [{ result: "acknowledged" }, { result: "duplicate" }, { result: "acknowledged again" }],
    });
  });
});

describe("trigger exits with 1", () => {
  it("if a genuine delivery is refused", async () => {
    const to = await receiving({ secret: "the secret of another endpoint" });
    expect(await outcomes(["order.filled", "--to", to])).toMatchObject({
      code: 1,
      rows: [{ result: "refused", code: "signature_mismatch" }],
    });
  });

  it("if a duplicate is not recognised", async () => {
    const to = await served((_, response) => response.end('{"received":true}'));
    const { code, rows } = await outcomes(["order.filled", "--to", to, "--duplicate", "2"]);
    expect([code, rows.map(({ result, count }) => [result, count])]).toEqual([
      1,
      [
        ["acknowledged", 1],
        ["acknowledged again", 2],
      ],
    ]);
  });

  it("if an event counts as a duplicate of another, for example by its order id", async () => {
    const ids = new Set<string>();
    const to = await served(async (request, response) => {
      const body = Buffer.concat(await request.toArray());
      const { id } = JSON.parse(body.toString()).data;
      response.end(JSON.stringify({ received: true, duplicate: ids.has(id) }));
      ids.add(id);
    });
    const { code, rows } = await outcomes(["order-filled", "--to", to]);
    expect(code).toBe(1);
    expect(rows.map(({ event, result }) => [event, result])).toEqual([
      ["order.accepted", "acknowledged"],
      ["order.partially_filled", "taken for a duplicate"],
      ["order.filled", "taken for a duplicate"],
    ]);
  });
});

describe("trigger on a terminal", () => {
  it.each([80, 120])("prints its table in colour within %i columns", async (columns) => {
    const terminal = fakeTerminal();
    terminal.stdout.isTTY = true;
    terminal.stdout.columns = columns;
    const { code, out } = await ran(["trigger", "order-filled", "--to", await receiving()], terminal);
    expect(code).toBe(0);
    const lines = out.replaceAll("\u001b[1m", "").replaceAll("\u001b[22m", "").split("\n");
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
  });
});
