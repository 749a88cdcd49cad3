import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import { describe, expect, it } from "vitest";
import { bluumHandler } from "../../adapters/express.ts";
import { refusal } from "../../src/adapter.ts";
import { createReceiver, type WebhookErrorCode } from "../../src/index.ts";
import { fakeTerminal, ran } from "../cli/fake-terminal.ts";
import { codeWords, readText, tableOf, unionMembers } from "./markdown.ts";

const PAGE = "docs/guides/refused-deliveries.md";
const secret = "the secret of this endpoint";

/** The code block after the comment `test: name`. */
function block(name: string): string {
  return new RegExp(`<!-- test: ${name} -->\n\`\`\`text\n(.*?)\`\`\``, "s").exec(readText(PAGE))?.[1] ?? "";
}

describe(PAGE, () => {
  const rows = tableOf(PAGE, "refusals").flatMap(([status, codes = ""]) =>
    codeWords(codes).map((code) => ({ code: code as WebhookErrorCode, status: Number(status) })),
  );

  it("has every code that a delivery can be answered with, once", () => {
    expect(rows.map(({ code }) => code).sort()).toEqual(unionMembers("src/errors.ts", "RejectionCode").sort());
  });

  it.each(rows)("tells the status of $code", ({ code, status }) => {
    expect(refusal(code).status).toBe(status);
  });

  it("shows a line of the log", async () => {
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const receiver = createReceiver({ secret, logger: { warn: write, error: write } });
    const headers = { "webhook-signature": "v1,c2lnbmF0dXJl" };
    await receiver.handle({ method: "POST", headers, body: Buffer.from("{}") });
    expect(`${lines.join("\n")}\n`).toBe(block("log line"));
  });

  it("shows what verify finds", async () => {
    const app = express();
    app.use(express.json());
    app.post("/webhooks/bluum", bluumHandler(createReceiver({ secret, logger: false }).on("*", () => {})));
    const server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/webhooks/bluum`;
    const { out } = await ran(["verify", url], fakeTerminal({ BLUUM_WEBHOOK_SECRET: secret }));
    server.close();
    expect(out).toBe(block("verify"));
  });
});
