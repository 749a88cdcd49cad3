import { existsSync } from "node:fs";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sqliteInbox } from "../../src/inbox/sqlite.ts";
import { sampleEvent, signDelivery } from "../../src/testing/index.ts";
import { anEvent, bench, signed } from "../pipeline/receiving.ts";
import { freshFile } from "../stores/sqlite-engines.ts";
import { headings, ROOT, readText } from "./markdown.ts";
import { compileSnippets, type Running, removeSnippets, type Snippet, snippetsOf, start } from "./snippets.ts";

const PAGE = "docs/guides/operations.md";
const OLD = "the old secret of this endpoint";
const NEW = "the new secret of this endpoint";

describe(PAGE, () => {
  it("has a section for each alert", () => {
    const [, behind = ""] = readText(PAGE).split("## What each alert means\n");
    const [section = ""] = behind.split("\n## ");
    expect([...section.matchAll(/^### (.+)$/gm)].map(([, name]) => name)).toEqual([
      "BluumEventsWaitTooLong",
      "BluumEventsParked",
      "BluumSignatureFailures",
      "BluumAcknowledgementSlow",
      "BluumNoDeliveries",
      "BluumClaimsLost",
      "BluumStoreErrors",
      "BluumInboxErrors",
    ]);
  });

  it("says on its first screen where everything is", () => {
    const [firstScreen = ""] = readText(PAGE).split("\n## ");
    for (const heading of headings(PAGE, 2)) expect(firstScreen).toContain(`[${heading}](#`);
  });

  it("leaves Kubernetes more time than a process takes to end, and more than Kubernetes' own 30 s", () => {
    const page = readText(PAGE);
    const [, graceSeconds] = /terminationGracePeriodSeconds: (\d+)/.exec(page) ?? [];
    const [, drainMs, closeMs] = /drainMs = ([\d_]+), closeMs = ([\d_]+)/.exec(page) ?? [];
    const neededMs = [drainMs, closeMs].reduce((sum, ms = "") => sum + Number(ms.replaceAll("_", "")), 0);
    expect(neededMs).toBeGreaterThan(30_000);
    expect(Number(graceSeconds) * 1_000).toBeGreaterThan(neededMs);
  });
});

describe(`the programs of ${PAGE}`, () => {
  const snippets = snippetsOf([PAGE]);
  const running: Running[] = [];

  beforeAll(async () => {
    if (!existsSync(`${ROOT}dist/src/index.js`)) throw new Error("dist is missing: run `npm run build` first");
    await compileSnippets(snippets);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(running.map((each) => each.stop()));
    removeSnippets();
  });

  async function started(mark: string, env: Record<string, string>): Promise<Running> {
    const program = await start(snippets.find(({ code }) => code.includes(mark)) as Snippet, env);
    running.push(program);
    return program;
  }

  /** Posts an event, and gives the answer as `"200"` or `"401 signature_mismatch"`, or as `"200 duplicate"`. */
  async function post(url: string, secret: string, event: object): Promise<string> {
    const answer = await fetch(url, signDelivery({ secret, event }));
    const text = await answer.text();
    const { error, duplicate } = text.startsWith("{") ? JSON.parse(text) : {};
    return [answer.status, error?.code, duplicate && "duplicate"].filter(Boolean).join(" ");
  }

  const order = (price: string) => sampleEvent("order.filled", { data: { average_price: price } });

  it("rotate a secret: both are taken, secretIndex tells them apart, then the old one is refused", async () => {
    const before = await started("signed with secret", { BLUUM_WEBHOOK_SECRET: OLD });
    expect(await post(before.url, NEW, order("1"))).toBe("401 signature_mismatch");

    const during = await started("signed with secret", { BLUUM_WEBHOOK_SECRET: `${NEW},${OLD}` });
    const event = order("2");
    expect(await post(during.url, OLD, event)).toBe("200");
    await during.prints("signed with secret 1");
    expect(await post(during.url, NEW, event)).toBe("200 duplicate");
    const printed = await during.stop();
    expect(printed.match(/signed with secret \d/g)).toEqual(["signed with secret 1", "signed with secret 0"]);
    expect(printed.match(/filled at 2/g)).toHaveLength(1);

    const after = await started("signed with secret", { BLUUM_WEBHOOK_SECRET: NEW });
    expect(await post(after.url, OLD, order("3"))).toBe("401 signature_mismatch");
    expect(await post(after.url, NEW, order("4"))).toBe("200");
  });

  it("keep two tenants apart: secrets, duplicates and inboxes", async () => {
    const app = await started("globex", { BLUUM_WEBHOOK_SECRET: OLD, GLOBEX_SECRET: NEW });
    const [acme, globex] = [`${app.url}/acme/webhooks/bluum`, `${app.url}/globex/webhooks/bluum`];
    const event = order("5");
    expect(await post(acme, NEW, event)).toBe("401 signature_mismatch");
    expect(await post(globex, OLD, event)).toBe("401 signature_mismatch");
    expect(await post(acme, OLD, event)).toBe("200");
    expect(await post(acme, OLD, event)).toBe("200 duplicate");
    expect(await post(globex, NEW, event)).toBe("200");
    await app.prints("acme filled at 5");
    await app.prints("globex filled at 5");
    const printed = await app.stop();
    for (const tenant of ["acme", "globex"]) {
      expect(printed.match(new RegExp(`${tenant} filled at 5`, "g")), tenant).toHaveLength(1);
    }
  });

  it("move a route: an event that comes to both is booked once, whichever is first", async () => {
    const app = await started("/old-route", { BLUUM_WEBHOOK_SECRET: NEW, OLD_SECRET: OLD });
    const [fresh, old] = [`${app.url}/webhooks/bluum`, `${app.url}/old-route`];
    const [first, second] = [order("6"), order("7")];
    expect(await post(old, NEW, first)).toBe("401");
    expect(await post(old, OLD, first)).toBe("204");
    expect(await post(fresh, NEW, first)).toBe("200");
    expect(await post(fresh, NEW, second)).toBe("200");
    expect(await post(old, OLD, second)).toBe("204");
    const printed = await app.stop();
    for (const price of ["6", "7"]) expect(printed.match(new RegExp(`filled at ${price}`, "g")), price).toHaveLength(1);
  });
});

describe("an event that waits in an inbox", () => {
  it("runs, although the secret that signed it was withdrawn", async () => {
    const { file, remove } = freshFile();
    const database = new Database(file);
    database.exec("PRAGMA synchronous = FULL");
    const inbox = sqliteInbox(database);
    const before = bench({ namespace: "orders", inbox, secret: OLD });
    const after = bench({ namespace: "orders", inbox, secret: NEW });
    const ran: string[] = [];
    after.receiver.on("order.filled", (event) => void ran.push(event.id));
    const event = anEvent();
    expect(await before.receiver.handle(signed(event, { secret: OLD }))).toMatchObject({ status: 200 });
    after.receiver.work({ pollMs: 20 });
    await vi.waitFor(() => expect(ran).toEqual([event.event_id]), 10_000);
    await after.receiver.close();
    database.close();
    remove();
  });
});
