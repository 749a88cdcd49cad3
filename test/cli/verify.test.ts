import { describe, expect, it } from "vitest";
import type { DeliveryReport } from "../../src/index.ts";
import { receiving, served } from "./app.ts";
import { fakeTerminal, ran } from "./fake-terminal.ts";

describe("verify", () => {
  it("reports a sound mount", async () => {
    const url = await receiving();
    const { code, out, err } = await ran(["verify", url]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(`sound  ${url}\n`);
    expect(out).toMatch(/a signed ping was answered in \d+ ms/);
    const { out: json } = await ran(["verify", url, "--json"]);
    expect(JSON.parse(json)).toMatchObject({ sound: true, where: url, bodyBytes: 65_536 });
  });

  it("marks its requests as probes in the receiver's log and report", async () => {
    const lines: string[] = [];
    const reports: DeliveryReport[] = [];
    const log = (line: string) => void lines.push(line);
    const url = await receiving({ logger: { warn: log, error: log }, observe: (report) => void reports.push(report) });
    expect(await ran(["verify", url])).toMatchObject({ code: 0 });
    expect(reports.map(({ outcome, probe }) => [outcome, probe])).toEqual([
      ["ping", true],
      ["rejected", true],
      ["rejected", true],
      ["ping", true],
    ]);
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toContain("claims to be a probe of verifyMount");
  });

  it("exits with 1 and prints the problem and the remedy", async () => {
    const url = await receiving({ secret: "the secret of another endpoint" });
    const { code, out, err } = await ran(["verify", url]);
    expect([code, err]).toEqual([1, `the mount at ${url} is not sound\n`]);
    expect(out).toMatch(/^wrong_secret\n {2}.*\n {2}Give both the secret of this endpoint/);
    const { out: json } = await ran(["verify", url, "--json"]);
    expect(JSON.parse(json)).toEqual({ sound: false, findings: [expect.objectContaining({ cause: "wrong_secret" })] });
  });

  it("exits with 1 if forgeries are acknowledged", async () => {
    const url = await served((_, response) => response.end('{"received":true,"ping":true}'));
    expect(await ran(["verify", url])).toMatchObject({ code: 1, out: expect.stringContaining("forgery_accepted") });
  });

  it("exits with 3 if the server is unreachable or does not answer in time", async () => {
    expect(await ran(["verify", "http://127.0.0.1:9/x"])).toMatchObject({
      code: 3,
      out: expect.stringContaining("no_connection"),
    });
    const silent = await served(() => {});
    expect(await ran(["verify", silent, "--timeout-ms", "50"])).toMatchObject({
      code: 3,
      out: expect.stringContaining("timed_out"),
    });
  });

  it("sends the headers of --header", async () => {
    const inner = await receiving();
    const seen: unknown[] = [];
    const url = await served((request, response) => {
      seen.push(request.headers["x-preview-access"]);
      response.writeHead(307, { location: inner }).end();
    });
    await ran(["verify", url, "--header", "x-preview-access: let me in"]);
    expect(new Set(seen)).toEqual(new Set(["let me in"]));
  });

  it("uses the scheme of --scheme", async () => {
    const secret = `whsec_${Buffer.from("a secret of 16 bytes or more").toString("base64")}`;
    const url = await receiving();
    const terminal = fakeTerminal({ BLUUM_WEBHOOK_SECRET: secret });
    const { code, out } = await ran(["verify", url, "--scheme", "standard-webhooks"], terminal);
    expect([code, out]).toEqual([1, expect.stringMatching(/^(wrong_scheme|header_stripped)/)]);
  });

  it.each([
    [["nowhere"], /<url> must be a whole URL/],
    [["http://127.0.0.1:9/", "--body-bytes", "x"], /whole number from 0/],
  ])("exits with 2 for %j", async (args, message) => {
    expect(await ran(["verify", ...args])).toMatchObject({ code: 2, err: expect.stringMatching(message) });
  });
});
